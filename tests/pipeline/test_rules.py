"""The rules and the pruning: each with what breaks it and what only looks like it."""

from __future__ import annotations

import pytest

from asyncgen.pipeline.parsing import ParsedInstances
from asyncgen.pipeline.pruning import prune
from asyncgen.pipeline.rules import BLACKLIST, first_offence
from asyncgen.records import Instance


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("Name a river", "too_short"),
        ("word " * 151, "too_long"),
        ("Describe the picture in words.", "blacklisted"),
        ("Explain how I go to Rome.", "blacklisted"),
        ("Write a program that sorts numbers.", "asks_for_program"),
        ('"Quote" something from a book.', "starts_with_punctuation"),
        ("Über rivers and their names, write.", "starts_with_non_ascii"),
        ("Name a river. Output: the Rhine", "leaked_template"),
        ("The best of the best of the best of the best of all.", "repetitive"),
    ],
)
def test_each_rule_names_its_offence(text: str, reason: str) -> None:
    offence = first_offence(text)

    assert offence is not None
    assert offence[0] == reason


@pytest.mark.parametrize(
    "text",
    [
        "Name four long rivers",
        "Name two rivers of Asia twice",
        "Imagine a graphic novel and summarise its profile.",
        "Rewrite a program note for a concert.",
        "Answer with one label: good, bad or mixed.",
        "Say hello, say goodbye, then say hello again in French.",
    ],
)
def test_what_only_looks_like_an_offence_passes(text: str) -> None:
    assert first_offence(text) is None


@pytest.mark.parametrize("word", BLACKLIST)
def test_blacklisted_words_are_matched_whole_and_in_any_case(word: str) -> None:
    assert first_offence(f"Please {word.upper()} something nice today") == (
        "blacklisted",
        word.upper(),
    )
    assert first_offence(f"Please x{word}x something nice today") is None


def _dropped(*instances: tuple[str, str], cut: bool = False) -> list[str]:
    parsed = ParsedInstances(tuple(Instance(*pair) for pair in instances), last_is_cut=cut)
    return [reason for reason, _ in prune(parsed, instruction="Do it.", at_most=2)[1]]


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (("a", ""), "output_empty"),
        (("a", "a"), "output_equals_input"),
        (("", "do it."), "output_equals_input"),
        (("a", "as follows:"), "ends_with_colon"),
        (("a:", "b"), "ends_with_colon"),
        (("a", "b\nInput: c"), "output_leaks_template"),
        (("a", "no no no no no no no no no no"), "output_repetitive"),
    ],
)
def test_each_faulty_instance_is_dropped_with_its_reason(
    pair: tuple[str, str], reason: str
) -> None:
    assert _dropped(pair) == [reason]


def test_a_cut_answer_loses_only_its_last_instance() -> None:
    parsed = ParsedInstances((Instance("a", "b"), Instance("c", "d")), last_is_cut=True)
    kept, dropped = prune(parsed, instruction="Do it.", at_most=5)

    assert kept == (Instance("a", "b"),)
    assert dropped == [("instance_cut_off", Instance("c", "d"))]


def test_one_input_with_two_outputs_discredits_the_task() -> None:
    assert _dropped(("a", "b"), ("a", "c")) == ["conflicting_outputs"] * 2
    assert _dropped(("", "b"), ("", "c")) == ["conflicting_outputs"] * 2


def test_duplicates_and_surplus_are_dropped() -> None:
    assert _dropped(("a", "b"), ("a", "b"), ("c", "d"), ("e", "f")) == [
        "instance_duplicate",
        "too_many_instances",
    ]
