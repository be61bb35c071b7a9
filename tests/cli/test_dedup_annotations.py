"""Annotations: the numbers are rouge-score's, and nothing else in the file changes."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli.material import json_lines
from rouge_score.rouge_scorer import RougeScorer

if TYPE_CHECKING:
    from cli.material import Dedup

STREAM = Path(__file__).parents[2].parent / "shared" / "data" / "instruction_stream.jsonl.gz"


@pytest.mark.skipif(not STREAM.exists(), reason="the shared data folder is not here")
def test_annotations_are_rouge_scores_own_numbers(dedup: Dedup, tmp_path: Path) -> None:
    """On 300 real instructions: the ten in their order, ties by age, and the mean."""
    with gzip.open(STREAM) as stream:
        lines = random.Random(1).sample(list(stream), 320)
    (tmp_path / "in.jsonl").write_bytes(b"".join(lines[20:]))
    (tmp_path / "seeds.jsonl").write_bytes(b"".join(lines[:20]))
    code, _, err = dedup(
        *(tmp_path / "in.jsonl", "--against", tmp_path / "seeds.jsonl", "--annotate"),
        *("--out", tmp_path / "out", "--threads", "2"),
    )

    assert code == 0, err
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    pool: list[str] = [row["instruction"] for row in json_lines(b"".join(lines[:20]))]
    for row in json_lines((tmp_path / "out").read_bytes()):
        text = row["instruction"]
        scores = [float(scorer.score(other, text)["rougeL"].fmeasure) for other in pool]
        ranked = sorted((-score, age) for age, score in enumerate(scores))
        top = list(dict.fromkeys(pool[age] for _, age in ranked))[:10]

        assert [other for other, _ in row["most_similar"]] == top
        expected = [scores[pool.index(other)] for other in top]
        assert [score for _, score in row["most_similar"]] == pytest.approx(expected, abs=1e-9)
        assert row["avg_similarity_score"] == pytest.approx(sum(scores) / len(scores), abs=1e-9)
        pool.append(text)


FIRST = '"most_similar": [], "avg_similarity_score": 0.0'
SECOND = '"most_similar": [["a b",0.5]], "avg_similarity_score": 0.5'
COLUMNS = "most_similar,avg_similarity_score"
AS_CELL = '"[[""a b"",0.5]]"'


@pytest.mark.parametrize(
    ("form", "data", "expected"),
    [
        (
            "jsonl",
            '{"x":1e9 , "instruction":"a b"}\r\n{"instruction": "a c", "most_similar": 3}',
            f'{{"x":1e9 , "instruction":"a b", {FIRST}}}\r\n{{"instruction": "a c", {SECOND}}}',
        ),
        (
            "json",
            '[\n {"instruction":"a b"\n},{"instruction": "a c"} ]',
            f'[\n {{"instruction":"a b", {FIRST}\n}},{{"instruction": "a c", {SECOND}}} ]',
        ),
        (
            "csv",
            'instruction,"x"\r\n"a b",5" \r\na c,',
            f'instruction,"x",{COLUMNS}\r\n"a b",5" ,[],0.0\r\na c,,{AS_CELL},0.5',
        ),
        (
            "csv",
            "avg_similarity_score,instruction\n,a b\n9,a c\n",
            f"avg_similarity_score,instruction,most_similar\n0.0,a b,[]\n0.5,a c,{AS_CELL}\n",
        ),
    ],
)
def test_annotating_changes_no_other_byte(
    dedup: Dedup, tmp_path: Path, form: str, data: str, expected: str
) -> None:
    (tmp_path / "in").write_bytes(data.encode())
    code, _, err = dedup(tmp_path / "in", "--format", form, "--annotate", "--out", tmp_path / "out")

    assert code == 0, err
    assert (tmp_path / "out").read_bytes().decode() == expected
