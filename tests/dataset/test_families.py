"""Families by brute force, and splits that keep them whole."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest
from dataset.material import example_task, many, seed_task
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from asyncgen.dataset.bundle import Plan, arrange
from asyncgen.dataset.families import families
from asyncgen.dataset.formats import FORMATS, Style
from asyncgen.errors import ExportError

if TYPE_CHECKING:
    from asyncgen.dataset.bundle import Bundle

SCORER = RougeScorer(["rougeL"], use_stemmer=False)
WORDS = st.lists(st.sampled_from("a b c d e f g h".split()), min_size=1, max_size=6)
TEXTS = st.lists(WORDS.map(" ".join), min_size=1, max_size=14)
BOUNDS = st.sampled_from([0.3, 0.5, 0.6, 2 / 3, 0.8, 1.0])


def rouge_l(one: str, other: str) -> float:
    return float(SCORER.score(one, other)["rougeL"].fmeasure)


def components(texts: list[str], bound: float) -> list[int]:
    """Find them by brute force and by another algorithm: colours spread until none changes."""
    colours = list(range(len(texts)))
    edges = [
        (one, other)
        for one, other in itertools.combinations(range(len(texts)), 2)
        if texts[one] == texts[other] or rouge_l(texts[one], texts[other]) > bound
    ]
    changed = True
    while changed:
        changed = False
        for one, other in edges:
            if colours[one] != colours[other]:
                colours[one] = colours[other] = min(colours[one], colours[other])
                changed = True
    return colours


@given(texts=TEXTS, bound=BOUNDS)
def test_families_are_those_of_brute_force(texts: list[str], bound: float) -> None:
    assert families(texts, bound) == components(texts, bound)


def test_a_text_with_many_neighbours_joins_all_of_them() -> None:
    """More than are looked at first: the hub is near to each, and they are not to each other."""
    hub = [f"w{number}" for number in range(40)]
    spokes = [f"{hub[2 * n]} {hub[2 * n + 1]} x{n}" for n in range(20)]
    texts = [*spokes, " ".join(hub), "far away from all"]
    bound = 0.09

    assert rouge_l(spokes[0], texts[-2]) > bound > rouge_l(spokes[0], spokes[1])
    assert families(texts, bound) == components(texts, bound) == [0] * 21 + [21]


def test_many_blocks_and_threads_find_the_same() -> None:
    rng = random.Random(3)
    words = [f"w{number}" for number in range(300)]
    texts = [" ".join(rng.sample(words, 6)) for _ in range(6000)]
    found = families(texts, 0.5)

    assert families(texts, 0.5, threads=3) == found
    checked = rng.sample(range(6000), 40)
    for one, other in itertools.product(checked, range(6000)):
        if found[one] != found[other]:
            shared = set(texts[one].split()) & set(texts[other].split())
            assert len(shared) <= 3 or rouge_l(texts[one], texts[other]) <= 0.5


def test_equal_texts_without_a_token_are_of_one_family() -> None:
    assert families(["川の名前", "湖の名前", "川の名前"], 0.5) == [0, 1, 0]
    assert families(["川の名前"] * 4 + ["湖の名前"] * 4, 0.5) == [0] * 4 + [4] * 4


# Splits ---------------------------------------------------------------------------------------


def ids(bundle: Bundle, split: str) -> set[str]:
    return {str(row["task"]) for row in bundle.splits[split]}


@given(texts=TEXTS, bound=BOUNDS, share=st.floats(0.02, 0.9), seed=st.integers(0, 9))
def test_no_pair_across_the_split_is_above_the_bound(
    texts: list[str], bound: float, share: float, seed: int
) -> None:
    tasks = [
        example_task(f"task_{place}_0", text, [(str(n), "o") for n in range(1 + place % 3)])
        for place, text in enumerate(texts)
    ]
    plan = Plan(FORMATS["parquet"], Style(seed=seed), validation=share, family_bound=bound)
    if len(set(components(texts, bound))) == 1:
        with pytest.raises(ExportError, match="of one family"):
            arrange(tasks, plan)
        return
    bundle = arrange(tasks, plan)
    sides = ids(bundle, "train"), ids(bundle, "validation")
    text = {task.id: task.instruction for task in tasks}

    assert all(sides)
    assert not sides[0] & sides[1]
    for one, other in itertools.product(*sides):
        assert rouge_l(text[one], text[other]) <= bound


@pytest.mark.parametrize("share", [0.02, 0.05, 0.5])
def test_where_tasks_are_no_kin_the_share_is_met(share: float) -> None:
    bundle = arrange(many(600), Plan(FORMATS["alpaca"], validation=share))

    assert abs(len(bundle.splits["validation"]) - share * bundle.rows) <= 2
    assert bundle.division is not None
    assert (bundle.division.families, bundle.division.largest) == (600, 3)


def test_a_giant_family_stays_whole_and_the_rest_is_held_out_as_far_as_it_goes() -> None:
    giant = [example_task(f"task_{n}_0", f"name a river of land{n}") for n in range(95)]
    bundle = arrange([*giant, *many(3)], Plan(FORMATS["parquet"], validation=0.3))

    assert ids(bundle, "train") >= {task.id for task in giant}
    assert len(bundle.splits["validation"]) == 6
    assert bundle.division is not None
    assert bundle.division.largest == 95


def test_seeds_take_part_in_families() -> None:
    tasks = [
        seed_task(f"seed_{n}", f"alpha{n} beta{n} gamma{n} delta{n}") for n in range(40)
    ] + many(40)
    bundle = arrange(tasks, Plan(FORMATS["parquet"], validation=0.25))
    held_out = ids(bundle, "validation")

    assert bundle.seeds == bundle.tasks == 40
    assert held_out
    assert all((f"seed_{n}" in held_out) == (f"task_{n}_0" in held_out) for n in range(40))


def test_the_split_is_the_seeds() -> None:
    splits = [
        ids(arrange(many(80), Plan(FORMATS["parquet"], Style(seed=s), validation=0.2)), "train")
        for s in (1, 1, 2)
    ]

    assert splits[0] == splits[1] != splits[2]
