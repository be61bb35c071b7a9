"""Files are told apart by their bytes, and replaced only when they are whole."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from corpus.material import packed, unpacked

from asyncgen.corpus.formats import format_of
from asyncgen.corpus.sink import Sink, is_same_file
from asyncgen.corpus.source import Source
from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = b"".join(b"line %d\n" % number for number in range(200_000))
SUFFIXES = ["", ".gz", ".zst"]


def content(path: Path) -> bytes:
    with Source(path) as source:
        return b"".join(source.chunks())


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_compression_is_seen_in_the_bytes_and_not_in_the_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "corpus.bin"
    path.write_bytes(packed(DATA, suffix))

    assert content(path) == DATA


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_laid_end_to_end_are_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(packed(b"a\n", suffix) + packed(b"b\n", suffix))

    assert content(path) == b"a\nb\n"


def test_a_skippable_zstandard_frame_may_come_first(tmp_path: Path) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc" + packed(b"a\n", ".zst"))

    assert content(path) == b"a\n"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_standard_input_is_read_like_a_file(monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    raw = io.BufferedReader(io.BytesIO(packed(DATA, suffix)))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(raw))

    with Source(Path("-")) as source:
        assert source.name == "standard input"
        assert b"".join(source.chunks()) == DATA
        assert source.share_used(5) is None


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_how_far_a_file_was_used_is_known(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(packed(DATA, suffix))
    shares: list[float] = []
    with Source(path) as source:
        used = 0
        for chunk in source.chunks():
            for half in (len(chunk) // 2, len(chunk) - len(chunk) // 2):
                used += half
                share = source.share_used(used)
                assert share is not None
                shares.append(share)

    assert shares[1::2] == sorted(shares[1::2])
    assert shares[0] < 0.6
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(DATA, mtime=0)[:-9], "the compressed data ends too early"),
        (packed(DATA, ".zst")[:-9], "the compressed data ends too early"),
        (gzip.compress(DATA, mtime=0)[:-8] + b"\0" * 8, "the compressed data is damaged ("),
        (b"\x1f\x8b\x09" + b"x" * 50, "the compressed data is damaged ("),
        (b"\x28\xb5\x2f\xfd" + b"x" * 50, "the compressed data is damaged ("),
    ],
)
def test_damaged_compression_is_one_clear_error(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(data)
    with pytest.raises(CorpusError) as caught:
        content(path)

    assert str(caught.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("name", "content", "field", "expected"),
    [
        ("a.csv", b'{"looks": "like JSON"}', None, "csv"),
        ("a.CSV.GZ", b"a,b", None, "csv"),
        ("a.txt", b"[looks like JSON]", None, "text"),
        ("a.json", b" \n[{}]", None, "json"),
        ("a.json", b'{"a": 1}\n{"a": 2}', None, "jsonl"),
        ("a.jsonl", b"[{}]", None, "json"),
        ("a.jsonl.zst", b"not JSON", None, "jsonl"),
        ("a.ndjson", b"", None, "jsonl"),
        ("a.json", b"not JSON", None, "json"),
        ("a", b"\xef\xbb\xbf[{}]", None, "json"),
        ("a.dat", b'{"a": 1}', None, "jsonl"),
        ("a", b'id,"text"\r\n1,x', "text", "csv"),
        ("a", b"id,text\r\n1,x", None, "text"),
        ("a", b"id,text\r\n1,x", "prompt", "text"),
        ("a", b"", "text", "text"),
        ("a", b"\xffa,b", "text", "text"),
    ],
)
def test_the_first_rule_that_says_something_decides_on_the_format(
    tmp_path: Path, name: str, content: bytes, field: str | None, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with Source(path) as source:
        assert format_of(source, field) == expected


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_named(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\ufefftext\nx\n".encode(order))
    with Source(path) as source, pytest.raises(CorpusError, match="is in UTF-16; convert it"):
        format_of(source, None)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_written_as_its_name_says_and_appears_at_the_end(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"kept.jsonl{suffix}"
    path.write_bytes(b"old")
    with Sink(path) as sink:
        sink.write(b"a\n")
        sink.write(b"b\n")
        sink.finish()
        assert path.read_bytes() == b"old"
        sink.commit()

    assert unpacked(path.read_bytes(), suffix) == b"a\nb\n"
    assert names(tmp_path) == {path.name}


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_the_same_rows_are_the_same_compressed_bytes(tmp_path: Path, suffix: str) -> None:
    written: list[bytes] = []
    for name in ("one", "other"):
        path = tmp_path / f"{name}{suffix}"
        with Sink(path) as sink:
            sink.write(DATA)
            sink.finish()
            sink.commit()
        written.append(path.read_bytes())

    assert written[0] == written[1]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("finished", [False, True])
def test_what_is_not_committed_leaves_no_trace(
    tmp_path: Path, suffix: str, *, finished: bool
) -> None:
    path = tmp_path / f"kept{suffix}"
    path.write_bytes(b"old")

    def half_way() -> Iterator[None]:
        with Sink(path) as sink:
            sink.write(DATA)
            if finished:
                sink.finish()
            yield
            raise KeyError("a bug")

    with pytest.raises(KeyError):
        list(half_way())

    assert path.read_bytes() == b"old"
    assert names(tmp_path) == {path.name}


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "kept").symlink_to("store/target")
    with Sink(tmp_path / "kept") as sink:
        sink.write(b"a")
        sink.finish()
        sink.commit()

    assert (tmp_path / "kept").is_symlink()
    assert (tmp_path / "store/target").read_bytes() == b"a"


def test_what_is_no_regular_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """A sink of its own: replacing /dev/null by a file would break the machine."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with Sink(tmp_path / "pipe") as sink:
            sink.write(b"a\n")
            sink.finish()
            sink.commit()
        assert os.read(reader, 10) == b"a\n"
    finally:
        os.close(reader)

    assert (tmp_path / "pipe").is_fifo()
    assert names(tmp_path) == {"pipe"}


def test_two_names_of_one_file_are_seen_through(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "link").symlink_to("a")

    assert is_same_file(tmp_path / "a", tmp_path / "link")
    assert is_same_file(tmp_path / "new", tmp_path / "x" / ".." / "new")
    assert not is_same_file(tmp_path / "a", tmp_path / "new")
    assert is_same_file(Path("-"), Path("-"))
    assert not is_same_file(Path("-"), tmp_path / "a")
