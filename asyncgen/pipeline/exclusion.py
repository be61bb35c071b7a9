"""Texts that nothing kept may resemble: benchmarks, corpora that exist already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from asyncgen.corpus.fields import Field
from asyncgen.corpus.formats import corpus_of, format_of
from asyncgen.corpus.origins import BLOCK, Origins, reader_of
from asyncgen.corpus.rows import RowReader
from asyncgen.corpus.source import Source
from asyncgen.errors import CorpusError, SettingsError
from asyncgen.pipeline.given_files import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncgen.settings import Settings

__all__ = ["Excluded", "read_excluded", "with_excluded"]

_MEND = "; name one as FILE:FIELD"

_SNIPPET = 120
"""Characters of an excluded text that a rejection shows."""


class Excluded:
    """Excluded texts by number, 0, 1, 2, …, in the order of their files and rows."""

    def __init__(self) -> None:
        self._texts = Origins()

    def read(self, path: Path, field: str = "") -> None:
        """Append the texts of a file, of any format that ``asyncgen dedup`` reads.

        Args:
            path: The file.
            field: The field of its rows that holds the text; "instruction" or "text" if empty.

        Raises:
            CorpusError: If it cannot be read, or a row of it cannot be used.
        """
        with Source(path) as source:
            self._texts.begin(source.name)
            for block in _reader(source, field).blocks(BLOCK):
                self._texts.extend(block)

    def blocks(self) -> Iterator[list[str]]:
        """Yield all texts, many at a time."""
        return self._texts.blocks()

    def name(self, index: int) -> str:
        """Return ``exclude_FILE_ROW``: the file by its place in the settings, both from 1."""
        _, file, row = self._texts[index]
        return f"exclude_{file + 1}_{row}"

    def snippet(self, index: int) -> str:
        """Return the beginning of a text."""
        text = self._texts.text(index)
        return text if len(text) <= _SNIPPET else f"{text[: _SNIPPET - 1]}…"

    def __len__(self) -> int:
        return len(self._texts)


def _reader(source: Source, field: str) -> RowReader:
    if not field:
        return reader_of(source, mend=_MEND)
    form = format_of(source, field)
    if form == "text":
        # Taken for texts, whole rows of what was meant for a table would resemble nothing.
        raise CorpusError(source.name, f"holds lines of text, which have no field '{field}'")
    return RowReader(corpus_of(source, form, Field(field)), skip_bad=False)


def named(name: str) -> tuple[Path, str]:
    """Return the file and the field, empty if none is named, that ``FILE`` or ``FILE:FIELD`` says.

    The longest beginning that there is decides, so that names of files may hold colons.
    """
    if not Path(name).exists():
        for colon in reversed(range(len(name))):
            path = Path(name[:colon])
            if name[colon] == ":" and path.exists() and not path.is_dir():
                return path, name[colon + 1 :]
    return Path(name), ""


def with_excluded(settings: Settings) -> Settings:
    """Return the settings with the excluded files named and what is read of them frozen.

    Raises:
        CorpusError: If one cannot be read.
        SettingsError: If one can be read only once.
    """
    names = tuple(str(Path(name).absolute()) for name in settings.exclude)
    return msgspec.structs.replace(
        settings, exclude=names, exclude_sha256=tuple(map(_identity, names))
    )


def _identity(name: str) -> str:
    """Return the SHA-256 of a file with the field that is read of it: another, other texts."""
    path, field = named(name)
    return f"{digest_of(path, '--exclude')}{':' if field else ''}{field}"


def read_excluded(settings: Settings) -> Excluded:
    """Read what a run excludes.

    Raises:
        CorpusError: If a file is gone, is not what it was when the run began, or a row of it
            cannot be used.
        SettingsError: If it is not known what each was.
    """
    files, hashes = len(settings.exclude), len(settings.exclude_sha256)
    if files != hashes:
        raise SettingsError(
            f"exclude names {files} files, but exclude_sha256 holds {hashes}: restore the run's "
            "settings.toml, or make a new run"
        )
    excluded = Excluded()
    for name, frozen in zip(settings.exclude, settings.exclude_sha256, strict=True):
        if _identity(name) != frozen:
            raise CorpusError(
                name, "has changed since the run began: restore it, or make a new run"
            )
        excluded.read(*named(name))
    return excluded
