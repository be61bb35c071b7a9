"""Which of the four formats a corpus has."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from asyncgen.corpus.csv_records import CsvRecords, columns_of
from asyncgen.corpus.json_array import JsonArray
from asyncgen.corpus.lines import JsonLines, TextLines
from asyncgen.errors import CorpusError

if TYPE_CHECKING:
    from asyncgen.corpus.fields import Field
    from asyncgen.corpus.rows import Corpus
    from asyncgen.corpus.source import Source

__all__ = ["Format", "corpus_of", "format_of"]

Format = Literal["jsonl", "json", "csv", "text"]

_BY_CONTENT: dict[bytes, Format] = {b"[": "json", b"{": "jsonl"}
_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "text",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_COMPRESSED = {".gz", ".zst"}
_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def corpus_of(source: Source, form: Format, field: Field) -> Corpus:
    """Return the reader for a source of that format."""
    name, chunks = source.name, source.chunks()
    match form:
        case "jsonl":
            return JsonLines(name, chunks, field)
        case "json":
            return JsonArray(name, chunks, field)
        case "csv":
            return CsvRecords(name, chunks, field)
        case "text":
            return TextLines(name, chunks)


def format_of(source: Source, field: str | None) -> Format:
    """Tell the format of a source; the first rule that says something decides.

    1. Names in .csv and .txt are believed.
    2. What begins with "[" is one JSON array, with "{" JSON lines, whatever its name.
    3. Names in .json, .jsonl and .ndjson are believed.
    4. A first line that has the column which was asked for is a CSV header.
    5. Anything else is lines of text.

    Args:
        source: The file; a name's .gz or .zst is passed over.
        field: The field that was asked for, if one was.

    Raises:
        CorpusError: If it cannot be read, or is in UTF-16.
    """
    head = source.head
    if head.startswith(_UTF_16_MARKS):
        raise CorpusError(source.name, "is in UTF-16; convert it to UTF-8")
    by_suffix = _BY_SUFFIX.get(_suffix(source.name))
    if by_suffix in {"csv", "text"}:
        return by_suffix
    content = head.removeprefix(_UTF_8_MARK).lstrip()
    return _BY_CONTENT.get(content[:1]) or by_suffix or _by_header(content, field)


def _by_header(content: bytes, field: str | None) -> Format:
    has_column = field is not None and field in columns_of(content.partition(b"\n")[0])
    return "csv" if has_column else "text"


def _suffix(name: str) -> str:
    path = PurePath(name.lower())
    return (path.with_suffix("") if path.suffix in _COMPRESSED else path).suffix
