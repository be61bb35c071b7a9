"""What cannot be done is said in one line, and nothing is replaced unless all went well."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli.material import names, written
from support.command import environment

if TYPE_CHECKING:
    from pathlib import Path

    from cli.material import Dedup


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
        (
            "in.gz",
            gzip.compress(b"a\n" * 999, mtime=0)[:-5],
            "{in}: the compressed data ends too early",
        ),
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


@pytest.mark.usefixtures("warm")
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
