"""The texts that a run is given, to find instructions for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from asyncgen.corpus.fields import Field
from asyncgen.corpus.formats import corpus_of, format_of
from asyncgen.corpus.rows import RowReader
from asyncgen.corpus.source import Source
from asyncgen.errors import CorpusError
from asyncgen.pipeline.given_files import digest_of

if TYPE_CHECKING:
    from asyncgen.settings import Settings

__all__ = ["GivenText", "read_texts", "with_texts"]

_FIELDS = ("text", "output")
_BLOCK = 1024


class GivenText(Struct, frozen=True):
    """A text and its row in the file, counted as in :class:`asyncgen.corpus.rows.Row`."""

    text: str
    row: int


def with_texts(settings: Settings) -> Settings:
    """Return the settings with what the file of texts holds frozen.

    Raises:
        CorpusError: If it cannot be read.
        SettingsError: If it can be read only once.
    """
    if not settings.texts:
        return settings
    return msgspec.structs.replace(
        settings, texts_sha256=digest_of(Path(settings.texts), "--texts")
    )


def read_texts(settings: Settings) -> tuple[GivenText, ...]:
    """Read the texts of a run, in any format that ``asyncgen dedup`` reads; blank ones are none.

    Raises:
        CorpusError: If the file is gone, is not what it was when the run began, holds no text, or
            a row of it cannot be used.
    """
    if not settings.texts:
        return ()
    path = Path(settings.texts)
    if settings.texts_sha256 and digest_of(path, "--texts") != settings.texts_sha256:
        raise CorpusError(str(path), "not what it was when the run began; put the old file back")
    with Source(path) as source:
        corpus = corpus_of(source, format_of(source, _FIELDS[0]), Field(*_FIELDS))
        texts = tuple(
            GivenText(row.text, row.number)
            for block in RowReader(corpus, skip_bad=False).blocks(_BLOCK)
            for row in block
            if row.text.strip()
        )
    if not texts:
        raise CorpusError(str(path), "holds no text")
    return texts
