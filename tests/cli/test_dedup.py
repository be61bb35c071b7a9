"""The whole command: files in, files out, and nothing replaced unless all went well."""

from __future__ import annotations

import gzip
import io
import json
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from corpus.material import packed, unpacked
from rouge_score.rouge_scorer import RougeScorer
from support.command import environment

from asyncgen.cli.app import run
from asyncgen.cli.dedup import _Display
from asyncgen.corpus.job import Counts
from asyncgen_kernels import warm_up

if TYPE_CHECKING:
    from collections.abc import Callable

    Dedup = Callable[..., tuple[int, str, str]]

STREAM = Path(__file__).parents[2].parent / "shared" / "data" / "instruction_stream.jsonl.gz"


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


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Compile before a test: the command would say that it does, and no test expects that."""
    warm_up()


@pytest.fixture
def dedup(capsys: pytest.CaptureFixture[str]) -> Dedup:
    """Return the command in this process, as a function to exit code, output and errors."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["dedup", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def json_lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def written(path: Path, *texts: str) -> Path:
    path.write_text("".join(json.dumps({"instruction": text}) + "\n" for text in texts), "utf-8")
    return path


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


def refused(dedup: Dedup, *arguments: str | Path) -> str:
    code, out, err = dedup(*arguments)

    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1, err
    assert err.startswith("asyncgen: error: ")
    return err.removeprefix("asyncgen: error: ").rstrip("\n")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.jsonl", b'{"instruction": "a"}\n\n{"instruction": }\n', "{in}:3: not JSON: Expecting"),
        (
            "in.jsonl",
            b'{"instruction": "a"}\n{"id": 1}\n',
            "{in}:2: no field 'instruction'; it has",
        ),
        (
            "in.jsonl",
            b'{"prompt": "a", "id": 1}\n',
            "{in}:1: no field 'instruction'; it has: prompt",
        ),
        ("in.jsonl", b'{"instruction": 7}\n', "{in}:1: the field 'instruction' is a number, not a"),
        (
            "in.json",
            b'[{"instruction": "a"}, {"instruction": "b"',
            "{in}: element 2: the file ends",
        ),
        ("in.json", b'[{"instruction": "a"}, 3]', "{in}: element 2: not an object but a number"),
        ("in.csv", b"instruction,x\na,1\nb\n", "{in}:3: columns: 1, in the header: 2"),
        ("in.csv", b"text,x\na,1\n", "{in}:1: no field 'instruction'; it has: text, x"),
        ("in.csv", b"instruction\n", "{in}: holds no rows"),
        ("in.csv", b"", "{in}: holds no rows"),
        ("in.txt", b"a\n\xff\n", "{in}:2: not UTF-8 (byte 0xff)"),
        ("in.txt", b"", "{in}: holds no rows"),
        ("in.jsonl", b"\n \n", "{in}: holds no rows"),
        ("in.json", b"[]", "{in}: holds no rows"),
        ("in.gz", gzip.compress(b"a\n" * 999)[:-5], "{in}: the compressed data ends too early"),
        ("in.csv", "\ufeffinstruction\n".encode("utf-16-le"), "{in}: is in UTF-16; convert it"),
    ],
)
def test_malformed_input_is_named_with_file_row_and_reason(
    dedup: Dedup, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "out").write_text("precious")
    flags = ("--out", tmp_path / "out", "--rejected", tmp_path / "no")

    line = refused(dedup, tmp_path / name, *flags)

    assert line.startswith(said.replace("{in}", str(tmp_path / name)))
    assert (tmp_path / "out").read_text() == "precious"
    assert names(tmp_path) == {name, "out"}


def test_a_malformed_row_far_down_undoes_everything(dedup: Dedup, tmp_path: Path) -> None:
    corpus = written(tmp_path / "in", *(f"text {n} of {n * 7} many" for n in range(3000)))
    with corpus.open("a") as file:
        file.write("nonsense")
    (tmp_path / "out").write_text("precious")

    line = refused(dedup, corpus, "--out", tmp_path / "out", "--rejected", tmp_path / "no.zst")

    assert line.startswith(f"{corpus}:3001: not JSON")
    assert (tmp_path / "out").read_text() == "precious"
    assert names(tmp_path) == {"in", "out"}


def test_a_malformed_row_of_what_it_is_held_against_is_named(dedup: Dedup, tmp_path: Path) -> None:
    corpus = written(tmp_path / "in", "a")
    (tmp_path / "seeds").write_text('{"x": 1, "y": 2}')
    flags = ("--against", tmp_path / "seeds", "--field", "instruction")

    line = refused(dedup, corpus, *flags, "--out", tmp_path / "out")

    assert line == f"{tmp_path / 'seeds'}:1: no field 'instruction'; it has: x, y"
    assert names(tmp_path) == {"in", "seeds"}


def test_skipping_everything_is_an_error_too(dedup: Dedup, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n' * 5)

    line = refused(dedup, tmp_path / "in.jsonl", "--skip-bad", "--out", tmp_path / "out")

    assert "in.jsonl:1: no row can be used, to begin with this: no field 'instruction'" in line
    assert names(tmp_path) == {"in.jsonl"}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("{in} --out {dir}/out --threshold 0", "--threshold 0.0: must lie in (0, 1]"),
        ("{in} --out {dir}/out --threshold 1.5", "--threshold 1.5: must lie in (0, 1]"),
        ("{in} --out {dir}/out --threshold nan", "--threshold nan: must lie in (0, 1]"),
        ("{in} --out {dir}/out --threshold high", "--threshold"),
        ("{in} --out {dir}/out --tokenizer nltk", "--tokenizer"),
        ("{in} --out {dir}/out --format xml", "--format"),
        ("{in} --out {dir}/out --threads 0", "--threads"),
        ("{in}", "--out"),
        ("{dir}/absent --out {dir}/out", "{dir}/absent: cannot be read (No such file"),
        ("{dir} --out {dir}/out", "{dir}: cannot be read (Is a directory)"),
        ("{in} --out {dir}/out --against {dir}/absent", "{dir}/absent: cannot be read (No such"),
        ("{in} --out {dir}", "{dir}: cannot be written (Is a directory)"),
        ("{in} --out {dir}/absent/out", "{dir}/absent/out: cannot be written (No such file or"),
        ("{in} --out {in}/out", "{in}/out: cannot be written (Not a directory)"),
        ("{in} --out {dir}/out --rejected {dir}/absent/no", "{dir}/absent/no: cannot be written"),
        ("{in} --out /dev/full", "/dev/full: cannot be written (No space left on device)"),
        ("{in} --out {dir}/./in", "--out {dir}/in: would be written over what is read"),
        ("{in} --out {dir}/out --rejected {in}", "--rejected {in}: would be written over what is"),
        ("{in} --out {dir}/s --against {dir}/s", "--out {dir}/s: would be written over what is"),
        ("{in} --out {dir}/out --rejected {dir}/out", "--rejected and --out name the same file"),
        ("- --against - --out {dir}/out", "standard input can be read only once"),
        ("{in} --out - --json", "--json and the rows cannot both go to standard output"),
        ("{in} --out {dir}/out --format text --annotate", "--annotate: {in} is lines of text, "),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    dedup: Dedup, tmp_path: Path, flags: str, said: str
) -> None:
    corpus = written(tmp_path / "in", "Name a river.")
    written(tmp_path / "s", "Name a lake.")
    places = {"{dir}": str(tmp_path), "{in}": str(corpus)}
    for mark, place in places.items():
        flags, said = flags.replace(mark, place), said.replace(mark, place)

    assert said in refused(dedup, *flags.split())
    assert names(tmp_path) == {"in", "s"}
    assert corpus.read_bytes() == b'{"instruction": "Name a river."}\n'


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "asyncgen: interrupted; no file was replaced\n"),
        (signal.SIGTERM, 143, ""),
    ],
)
def test_an_interruption_replaces_nothing(
    tmp_path: Path, number: signal.Signals, code: int, said: str
) -> None:
    (tmp_path / "out").write_text("precious")
    rows = b"".join(b'{"instruction": "a%d b%d"}\n' % (n, n) for n in range(1500))
    with subprocess.Popen(
        [sys.executable, "-m", "asyncgen", "dedup", "-", "--out", tmp_path / "out"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        # Blank lines that fill two of its reads: once they are written, the rows are decided on,
        # and it waits for more.
        process.stdin.write(rows + (b" " * 1023 + b"\n") * 3072)
        process.stdin.flush()
        assert [path.suffix for path in tmp_path.iterdir() if path.name != "out"] == [".partial"]
        process.send_signal(number)
        # A signal that comes between two system calls is seen when the read returns.
        process.stdin.close()
        err = process.stderr.read().decode()

        assert process.wait() == code
        # Before that it may have told that it loads its kernels: the machine may be busy.
        assert err.endswith(said)
        assert "Traceback" not in err
    assert (tmp_path / "out").read_text() == "precious"
    assert names(tmp_path) == {"out"}
