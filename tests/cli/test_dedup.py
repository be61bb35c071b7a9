"""Files in, files out: what is kept byte for byte, what is not with its nearest."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli.material import json_lines, names, written
from corpus.material import packed, unpacked

from asyncgen.cli.app import run
from asyncgen.cli.dedup import _Display
from asyncgen.corpus.job import Counts

if TYPE_CHECKING:
    from cli.material import Dedup


@dataclass(frozen=True)
class Example:
    """A corpus, what is kept of it, and of the others: text, nearest text and its row."""

    data: bytes
    kept: bytes
    rejected: list[tuple[str, str, int]]


def example(pieces: list[tuple[str, bytes]], rejected: list[tuple[str, str, int]]) -> Example:
    """Put together pieces of a file; those marked with a dash are not kept."""
    return Example(
        data=b"".join(piece for _, piece in pieces),
        kept=b"".join(piece for mark, piece in pieces if mark != "-"),
        rejected=rejected,
    )


EXAMPLES = {
    "jsonl": example(
        [
            ("+", b'\xef\xbb\xbf{"id": 1e400, "instruction": "Name a river."}\r\n'),
            ("-", b"\r\n"),
            ("-", b'{"instruction":"name a RIVER","id":2}\n'),
            ("+", b'{"id":NaN,  "instruction":"Sing \\u00e9 \xc3\xa9", "most_similar": [] }\n'),
            ("+", b'{"instruction": "Sing, please: \xc3\xa9"}\n'),
            ("+", b'{"instruction": ""}\n'),
            ("+", b'{"instruction": ""}\n'),
            ("-", b'{"instruction": "sing"}'),
        ],
        [("name a RIVER", "Name a river.", 1), ("sing", "Sing é é", 4)],
    ),
    "json": example(
        [
            ("+", b'\n[\n  {"instruction": "Name a river.", "x": [1,\n 2]}'),
            ("-", b',\n  {"instruction": "name a RIVER"}'),
            ("+", b',\n\t{"x":{"]":"}"},"instruction":"Sing"}'),
            ("-", b', {"instruction": "sing!"}'),
            ("+", b"\n]\n"),
        ],
        [("name a RIVER", "Name a river.", 1), ("sing!", "Sing", 3)],
    ),
    "csv": example(
        [
            ("+", b'id,"instruction",note\r\n'),
            ("+", b'1,Name a river.,"a\r\nb"\r\n'),
            ("-", b'2,"name a ""RIVER""",\r\n'),
            ("-", b"\n"),
            ("+", b'3,"Sing,\nplease",5" wide\n'),
            ("-", b"4,sing please,"),
        ],
        [('name a "RIVER"', "Name a river.", 2), ("sing please", "Sing,\nplease", 6)],
    ),
    "text": example(
        [
            ("+", b"Name a river.\r\n"),
            ("-", b"name a RIVER\n"),
            ("+", b"\n"),
            ("+", b"  Sing \xc3\xa9\n"),
            ("+", b"\n"),
            ("-", b"sing"),
        ],
        [("name a RIVER", "Name a river.", 1), ("sing", "  Sing é", 4)],
    ),
}


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize("form", EXAMPLES)
def test_kept_rows_are_written_byte_for_byte_and_the_others_with_their_nearest(
    dedup: Dedup, tmp_path: Path, form: str, suffix: str
) -> None:
    corpus, kept, rejected = (
        tmp_path / name for name in (f"corpus.{form}", f"kept{suffix}", f"rejected.jsonl{suffix}")
    )
    given = EXAMPLES[form]
    corpus.write_bytes(packed(given.data, suffix))
    texts = ["--format", "text"] if form == "text" else []
    code, out, err = dedup(corpus, *texts, "--out", kept, "--rejected", rejected, "--json")

    assert (code, err) == (0, "")
    assert unpacked(kept.read_bytes(), suffix) == given.kept
    assert names(tmp_path) == {corpus.name, kept.name, rejected.name}
    lines = json_lines(unpacked(rejected.read_bytes(), suffix))
    assert [
        (
            line.get("instruction", line.get("text")),
            line["nearest"]["text"],
            line["nearest"]["source"],
            line["reason"],
            line["score"],
        )
        for line in lines
    ] == [
        (text, nearest, {"file": str(corpus), "row": row}, "similar", 1.0)
        for text, nearest, row in given.rejected
    ]
    summary = json.loads(out)
    assert summary["rows"] == summary["kept"] + summary["rejected"]
    assert summary["rejected"] == len(lines)
    assert summary["format"] == form


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "text"])
def test_a_corpus_without_similar_rows_comes_out_as_it_went_in(
    dedup: Dedup, tmp_path: Path, form: str
) -> None:
    (tmp_path / "in").write_bytes(EXAMPLES[form].kept)
    code, _, err = dedup(tmp_path / "in", "--format", form, "--out", tmp_path / "out")

    assert code == 0, err
    assert (tmp_path / "out").read_bytes() == EXAMPLES[form].kept


@pytest.mark.usefixtures("warm")
def test_standard_input_goes_to_standard_output(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed_input = io.BytesIO(gzip.compress(EXAMPLES["jsonl"].data))
    stdin = io.BufferedReader(packed_input)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stdin))

    assert run(["dedup", "-", "--out", "-"]) == 0
    said = capsysbinary.readouterr()
    assert said.out == EXAMPLES["jsonl"].kept
    assert said.err.startswith(b"asyncgen: -: kept 5 of 7 rows (jsonl), rejected 2; ")


def test_all_fields_of_a_rejected_row_are_there_and_old_verdicts_are_not(
    dedup: Dedup, tmp_path: Path
) -> None:
    """What was rejected before can be filtered again."""
    (tmp_path / "in").write_bytes(
        b'{"instruction": "Name a river."}\n'
        b'{"id": 12345678901234567890123, "reason": "old", "instruction": "name a river", "x": NaN}'
    )
    code, _, err = dedup(tmp_path / "in", "--out", tmp_path / "out", "--rejected", tmp_path / "no")

    assert code == 0, err
    assert (tmp_path / "no").read_text() == (
        '{"id": 12345678901234567890123, "instruction": "name a river", "x": NaN, '
        '"reason": "similar", "nearest": {"text":"Name a river.","index":0,"source":'
        f'{{"file":"{tmp_path / "in"}","row":1}}}}, "score": 1.0}}\n'
    )


def test_nothing_kept_resembles_what_it_is_held_against(dedup: Dedup, tmp_path: Path) -> None:
    """In any format; by the same field, else "instruction", else "text"; similar ones or not."""
    against = {
        "seeds.jsonl": '{"instruction": "Name a river."}\n{"instruction": "Name a river!"}\n',
        "more.csv": "prompt,text\nCount to ten.,Sing\n",
        "other.json": '[{"text": "Write a poem."}]',
        "lines.txt.gz": "",
        "empty.jsonl": "",
    }
    flags: list[str | Path] = []
    for name, content in against.items():
        (tmp_path / name).write_text(content)
        flags += ["--against", tmp_path / name]
    (tmp_path / "lines.txt.gz").write_bytes(gzip.compress(b"Say it\n"))
    corpus = tmp_path / "in.jsonl"
    texts = ("name a river", "count to ten", "write a poem", "say it", "sing", "new")
    corpus.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts))
    code, out, err = dedup(
        *(corpus, "--field", "prompt", *flags, "--json"),
        *("--out", tmp_path / "out", "--rejected", tmp_path / "no"),
    )

    assert code == 0, err
    assert [row["prompt"] for row in json_lines((tmp_path / "out").read_bytes())] == ["sing", "new"]
    assert [
        (row["nearest"]["index"], Path(row["nearest"]["source"]["file"]).name)
        for row in json_lines((tmp_path / "no").read_bytes())
    ] == [(0, "seeds.jsonl"), (2, "more.csv"), (3, "other.json"), (4, "lines.txt.gz")]
    assert json.loads(out)["against"] == 5


def test_the_threshold_and_the_tokenizer_are_those_asked_for(dedup: Dedup, tmp_path: Path) -> None:
    corpus = written(tmp_path / "in", "a b c d", "a b c x", "Ω ж", "ω Ж", "a b c d")

    def kept(*flags: str) -> int:
        code, out, err = dedup(corpus, "--out", tmp_path / "out", "--json", *flags)
        assert code == 0, err
        return int(json.loads(out)["kept"])

    assert kept() == 3
    assert kept("--threshold", "0.8") == 4
    assert kept("--threshold", "1") == 5
    assert kept("--tokenizer", "unicode") == 2


def test_malformed_rows_are_skipped_and_counted_if_asked(dedup: Dedup, tmp_path: Path) -> None:
    (tmp_path / "in").write_text('nonsense\n{"instruction": "a"}\n{"text": "b"}\n[]\n')
    (tmp_path / "seeds").write_text('{"instruction": 3}\n{"instruction": "c"}\n')
    flags = ("--format", "jsonl", "--against", tmp_path / "seeds", "--skip-bad")
    code, out, err = dedup(tmp_path / "in", *flags, "--out", tmp_path / "out", "--json")

    assert code == 0, err
    assert (tmp_path / "out").read_text() == '{"instruction": "a"}\n'
    summary = json.loads(out)
    assert [summary[name] for name in ("rows", "kept", "bad")] == [1, 1, 3]
    assert [summary[name] for name in ("against", "against_bad")] == [1, 1]
    _, _, err = dedup(tmp_path / "in", *flags, "--out", tmp_path / "out")
    assert "kept 1 of 1 rows (jsonl), rejected 0, skipped 4 malformed; " in err


def test_progress_tells_counts_rate_share_and_what_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = 0.0
    display = _Display(clock=lambda: now)
    steps: list[tuple[float, Counts, float | None]] = [
        (0, Counts(), None),
        (4, Counts(against=10), None),
        (6, Counts(against=2000), None),
        (20, Counts(against=3000), 0.0),
        (30, Counts(rows=5000, kept=4000), 0.25),
        (31, Counts(rows=6000, kept=4000), 0.3),
        (40, Counts(rows=9000, kept=7000), 0.5),
        (50, Counts(rows=15000, kept=9000), None),
    ]
    for now, counts, share in steps:  # noqa: B007 - the clock reads it
        display.show(counts, share)

    assert capsys.readouterr().err.splitlines() == [
        "asyncgen: texts to compare with: 2,000 loaded",
        "asyncgen: texts to compare with: 3,000 loaded",
        "asyncgen: 5,000 rows · kept 4,000 · 500 rows/s · 25% · ETA 0:00:30",
        "asyncgen: 9,000 rows · kept 7,000 · 450 rows/s · 50% · ETA 0:00:20",
        "asyncgen: 15,000 rows · kept 9,000 · 500 rows/s",
    ]
