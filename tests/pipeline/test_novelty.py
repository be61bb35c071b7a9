"""What a candidate must differ from: excluded texts, seeds, and all that was kept."""

from __future__ import annotations

import gzip
import random
from typing import TYPE_CHECKING

import pytest
from rapidfuzz.distance import LCSseq
from seeds.material import PAPER, lines_of, needs_paper

from asyncgen.pipeline.exclusion import Excluded
from asyncgen.pipeline.novelty import Admission, Novelty
from asyncgen.records import Neighbour
from asyncgen_kernels import tokenize

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = {"seed_1": "Name a river of Asia.", "seed_2": "Sort these words by length."}


def _excluded(path: Path, *texts: str) -> Excluded:
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    excluded = Excluded()
    excluded.read(path)
    return excluded


def test_the_reason_is_that_of_the_nearest(tmp_path: Path) -> None:
    excluded = _excluded(tmp_path / "a.txt", "Count the vowels in a word.", "x" * 200 + " y z")
    novelty = Novelty(0.7, SEEDS, excluded)

    assert novelty.admit("t1", "Name a mountain range.") == Admission(2)
    place, nearest, reason, detail = novelty.admit("t2", "Count the vowels in a name.")
    assert nearest is not None
    assert (place, nearest.id, reason) == (None, "exclude_1_1", "excluded")
    assert nearest.score == pytest.approx(10 / 12)
    assert detail == "Count the vowels in a word."
    _, nearest, reason, detail = novelty.admit("t3", "Name a river of Africa.")
    assert nearest is not None
    assert (nearest.id, reason, detail) == ("seed_1", "similar", "")
    assert novelty.admit("t4", "x" * 200 + " y z").detail == "x" * 119 + "…"
    assert novelty.admit("t5", "Name a mountain range!").nearest == Neighbour("t1", 1.0)


def test_of_equals_the_excluded_text_is_the_nearest(tmp_path: Path) -> None:
    novelty = Novelty(0.7, SEEDS, _excluded(tmp_path / "a.txt", *SEEDS.values()))

    assert novelty.admit("t", SEEDS["seed_2"]).nearest == Neighbour("exclude_1_2", 1.0)


def test_what_is_excluded_is_no_neighbour_and_takes_no_place(tmp_path: Path) -> None:
    texts = ["Name a mountain range.", "Sort a list of mountains.", "Draw conclusions from this."]
    apart = _excluded(tmp_path / "a.txt", "Sort a long list of numbers now please.", "Why?")
    with_excluded, without = Novelty(0.7, SEEDS, apart), Novelty(0.7, SEEDS, Excluded())
    admitted = [one.admit(text, text) for one in (with_excluded, without) for text in texts]
    placed = [(text, place + 2) for place, text in enumerate(texts)]

    assert [one.place for one in admitted] == [2, 3, 4] * 2
    assert with_excluded.before(placed) == without.before(placed)
    assert with_excluded.before(placed[:1]) == without.before(placed[:1])


@needs_paper
def test_real_texts_are_excluded_as_brute_force_says(tmp_path: Path) -> None:
    """The paper's evaluation tasks and 600 rows of a real stream, against 150 of the same."""
    with gzip.open(PAPER / "instruction_stream.jsonl.gz") as stream:
        lines = random.Random(3).sample(list(stream)[50_000:51_500], 750)
    (tmp_path / "stream.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:600])))
    (tmp_path / "others.jsonl").write_bytes(b"".join(lines[600:]))
    excluded = Excluded()
    files = [PAPER / "user_oriented_instructions.jsonl", tmp_path / "stream.jsonl.gz"]
    for file in files:
        excluded.read(file)
    known = [text for block in excluded.blocks() for text in block]
    novelty = Novelty(0.7, {}, excluded)
    found = 0
    for number, row in enumerate(lines_of(tmp_path / "others.jsonl")):
        admission = novelty.admit(str(number), row["instruction"])
        best = max(_rouge_l(row["instruction"], text) for text in known)
        if admission.reason == "excluded":
            assert admission.nearest is not None
            assert admission.nearest.score == pytest.approx(best)
            found += 1
        elif admission.nearest is None:
            assert best <= 0.7
        else:
            assert best < admission.nearest.score

    assert len(known) == 852
    assert 10 < found < 140


_TOKENS: dict[str, list[str]] = {}


def _rouge_l(one: str, other: str) -> float:
    left, right = (_TOKENS.setdefault(text, tokenize(text)) for text in (one, other))
    size = len(left) + len(right)
    return 2 * LCSseq.similarity(left, right) / size if size else 0.0
