"""Texts that nothing kept may resemble: benchmarks, corpora that exist already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from asyncgen.corpus.origins import BLOCK, Origins, reader_of
from asyncgen.corpus.source import Source
from asyncgen.errors import CorpusError
from asyncgen.pipeline.given_files import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncgen.settings import Settings

__all__ = ["Excluded", "read_excluded", "with_excluded"]

_SNIPPET = 120
"""Characters of an excluded text that a rejection shows."""


class Excluded:
    """Excluded texts by number, 0, 1, 2, …, in the order of their files and rows."""

    def __init__(self) -> None:
        self._texts = Origins()

    def read(self, path: Path) -> None:
        """Append the texts of a file, of any format that ``asyncgen dedup`` reads.

        Raises:
            CorpusError: If it cannot be read, or a row of it cannot be used.
        """
        with Source(path) as source:
            self._texts.begin(source.name)
            for block in reader_of(source).blocks(BLOCK):
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


def with_excluded(settings: Settings) -> Settings:
    """Return the settings with the excluded files named and what they hold frozen.

    Raises:
        CorpusError: If one cannot be read.
        SettingsError: If one can be read only once.
    """
    paths = [Path(name).absolute() for name in settings.exclude]
    return msgspec.structs.replace(
        settings,
        exclude=tuple(map(str, paths)),
        exclude_sha256=tuple(digest_of(path, "--exclude") for path in paths),
    )


def read_excluded(settings: Settings) -> Excluded:
    """Read what a run excludes.

    Raises:
        CorpusError: If a file is gone, is not what it was when the run began, or a row of it
            cannot be used.
    """
    excluded = Excluded()
    for name, frozen in zip(settings.exclude, settings.exclude_sha256, strict=False):
        if digest_of(Path(name), "--exclude") != frozen:
            raise CorpusError(
                name, "has changed since the run began: restore it, or make a new run"
            )
        excluded.read(Path(name))
    return excluded
