"""Decisions carry what a reader wants to know: nearest, place, the ten most similar, the mean."""

from __future__ import annotations

import functools
from statistics import fmean
from typing import TYPE_CHECKING

import pytest
from rouge_score.rouge_scorer import RougeScorer

from asyncgen.corpus.dedup import TOP, Annotation, Decision, Deduplicator, Nearest
from asyncgen.corpus.rows import Row
from asyncgen_kernels import Pool

if TYPE_CHECKING:
    from collections.abc import Sequence


@functools.cache
def rouge() -> RougeScorer:
    return RougeScorer(["rougeL"], use_stemmer=False)


def score_of(a: str, b: str) -> float:
    return float(rouge().score(a, b)["rougeL"].fmeasure)


def rows(*texts: str) -> list[Row]:
    return [Row(text.encode(), text, number) for number, text in enumerate(texts, start=1)]


def deduplicator(
    *, explain: bool = False, annotate: bool = False, threshold: float = 0.7
) -> Deduplicator:
    return Deduplicator(Pool(threshold=threshold), explain=explain, annotate=annotate, threads=2)


def expected(text: str, before: Sequence[str]) -> Annotation:
    """Annotate by the definition."""
    scores = [score_of(other, text) for other in before]
    best: dict[str, float] = {}
    for index in sorted(range(len(before)), key=lambda index: -scores[index]):
        best.setdefault(before[index], scores[index])
    return Annotation(list(best.items())[:TOP], fmean(scores) if scores else 0.0)


def check(found: Annotation | None, wanted: Annotation) -> None:
    assert found is not None
    assert [text for text, _ in found.most_similar] == [text for text, _ in wanted.most_similar]
    assert [score for _, score in found.most_similar] == pytest.approx(
        [score for _, score in wanted.most_similar], abs=1e-9
    )
    assert found.average == pytest.approx(wanted.average, abs=1e-9)


def test_the_first_of_similar_rows_is_kept_also_within_a_block() -> None:
    first, second, third = rows("Name a river.", "name a RIVER", "Write a poem.")

    assert deduplicator().decide([first, second, third]) == [
        Decision(first, kept=True),
        Decision(second, kept=False),
        Decision(third, kept=True),
    ]


def test_a_rejected_row_names_its_nearest_and_where_that_stands() -> None:
    filter_ = deduplicator(explain=True)
    filter_.begin("empty.txt")
    filter_.begin("seeds.jsonl")
    filter_.exclude(rows("Name a river.", "Write a poem."))
    filter_.begin("more.txt")
    filter_.exclude(rows("Count to ten."))
    filter_.begin("corpus.csv")
    decisions = filter_.decide(rows("write a poem", "count to ten", "Sing!", "Say it.", "Sing"))
    decisions += filter_.decide([Row(b"", "Name A River", 9), Row(b"", "say it", 10)])

    assert [decision.nearest for decision in decisions if not decision.kept] == [
        Nearest("Write a poem.", 1, "seeds.jsonl", 2, 1.0),
        Nearest("Count to ten.", 2, "more.txt", 1, 1.0),
        Nearest("Sing!", 3, "corpus.csv", 3, 1.0),
        Nearest("Name a river.", 0, "seeds.jsonl", 1, 1.0),
        Nearest("Say it.", 4, "corpus.csv", 4, 1.0),
    ]


def test_an_annotation_is_of_what_stood_before_in_whatever_block() -> None:
    texts = [f"write {'a very ' * (n % 4)}good poem number {n} about {n % 3}" for n in range(30)]
    filter_ = deduplicator(annotate=True, threshold=0.999)
    seeds = ["Write a good poem.", "Count to ten."]
    filter_.begin("seeds")
    filter_.exclude(rows(*seeds))
    filter_.begin("corpus")
    decisions = filter_.decide(rows(*texts[:17])) + filter_.decide(rows(*texts[17:]))

    assert all(decision.kept for decision in decisions)
    for number, decision in enumerate(decisions):
        check(decision.annotation, expected(texts[number], [*seeds, *texts[:number]]))


def test_the_first_text_resembles_nothing() -> None:
    (decision,) = deduplicator(annotate=True).decide(rows("Name a river."))

    assert decision.annotation == Annotation([], 0.0)


def test_a_text_counts_once_among_the_ten_and_each_time_in_the_mean() -> None:
    """Repeated ones push others out of a scan's first ten; they must be looked for deeper."""
    seeds = ["a b c d"] * 60 + [f"a b c x{n} y{n}" for n in range(14)] + ["a b c d"] * 60
    filter_ = deduplicator(annotate=True)
    filter_.begin("seeds")
    filter_.exclude(rows(*seeds))
    filter_.begin("corpus")
    (decision,) = filter_.decide(rows("a b e f g h"))

    assert decision.annotation is not None
    assert len(decision.annotation.most_similar) == TOP
    check(decision.annotation, expected("a b e f g h", seeds))


def test_fewer_than_ten_texts_are_all_there_is() -> None:
    seeds = ["a b c d", "a b x y"] * 40
    filter_ = deduplicator(annotate=True)
    filter_.begin("seeds")
    filter_.exclude(rows(*seeds))
    filter_.begin("corpus")
    (decision,) = filter_.decide(rows("a b e f g h"))

    check(decision.annotation, expected("a b e f g h", seeds))
