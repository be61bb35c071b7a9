"""The profile ``default``: the original's rules with their defects mended.

An instruction keeps its case; a cut answer loses only what was cut; lists are split by their
numbers, so that a list inside an instruction stays in it; the blacklist spares phrases that
ask for nothing but text; field names count at the beginnings of lines only; two answers to one
input are a conflict, without an input as well; yes and no are understood in a sentence.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles import instance_rules, instruction_rules, refusals
from asyncgen.pipeline.profiles.blacklist import HARMLESS, MENDED, blacklist
from asyncgen.pipeline.profiles.decisions import read_decision
from asyncgen.pipeline.profiles.degeneration import repeats_itself
from asyncgen.pipeline.profiles.examples import read_instances
from asyncgen.pipeline.profiles.lists import numbered_items, tidied
from asyncgen.pipeline.profiles.values import Profile
from asyncgen.pipeline.profiles.words import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.profiles.values import InstanceRule, InstructionRule
    from asyncgen.pipeline.profiles.words import Words
    from asyncgen.records import Instance
    from asyncgen.settings import TokenizerName

__all__ = ["mended"]

_BEGINNINGS: dict[TokenizerName, tuple[InstructionRule, ...]] = {
    "rouge": (
        ("starts_with_punctuation", instruction_rules.starts_with_punctuation),
        ("starts_with_non_ascii", instruction_rules.starts_with_non_ascii),
    ),
    "unicode": (("starts_with_punctuation", instruction_rules.starts_with_mark),),
}


def mended(
    blacklist_add: Sequence[str] = (),
    blacklist_remove: Sequence[str] = (),
    tokenizer: TokenizerName = "rouge",
) -> Profile:
    """Return the profile, its blacklist edited.

    With the tokenizer ``unicode`` its rules hold in any script: a word is what that makes of it,
    and a text may begin with any letter.

    Raises:
        SettingsError: If the edits make no sense.
    """
    blacklisted = blacklist(MENDED, harmless=HARMLESS, add=blacklist_add, remove=blacklist_remove)
    words = words_of(tokenizer)
    return Profile(
        split=numbered_items,
        normalise=tidied,
        instruction_rules=(
            ("empty", instruction_rules.empty),
            ("too_short", partial(instruction_rules.too_short, words_of=words)),
            ("too_long", partial(instruction_rules.too_long, words_of=words)),
            ("blacklisted", blacklisted),
            ("asks_for_program", instruction_rules.asks_for_program),
            *_BEGINNINGS[tokenizer],
            ("leaked_template", instruction_rules.leaked_template),
            ("mixed_in_task", instruction_rules.mixed_in_task),
            ("repetitive", partial(repeats_itself, words_of=words)),
            ("refusal", refusals.declines),
            ("refusal", refusals.speaks_of_itself),
        ),
        read_decision=read_decision,
        asks_again=True,
        read_instances=read_instances,
        instance_rules=_instance_rules(words),
        conflict=_contradict,
        choose=_first,
    )


def _instance_rules(words: Words) -> tuple[InstanceRule, ...]:
    return (
        ("output_empty", instance_rules.output_empty),
        ("output_equals_input", instance_rules.output_equals_input),
        ("output_equals_instruction", instance_rules.output_equals_instruction),
        ("ends_with_colon", instance_rules.ends_with_any_colon),
        ("output_leaks_template", instance_rules.leaks_template),
        ("output_runs_on", partial(instance_rules.runs_on, words_of=words)),
        ("output_repetitive", partial(instance_rules.repetitive, words_of=words)),
        ("output_refuses", instance_rules.refuses),
        ("output_asks_for_input", instance_rules.asks_for_input),
    )


def _contradict(instances: Sequence[Instance]) -> bool:
    """One input has several outputs: then none of them can be trusted."""
    return len({one.input for one in instances}) < len(instances)


def _first(instances: Sequence[Instance], at_most: int, _key: str) -> list[Instance]:
    """Models write their best examples first, and go on with variations."""
    return list(instances[:at_most])
