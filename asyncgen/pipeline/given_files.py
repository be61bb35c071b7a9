"""Files that a run is given and follows from: they must stay what they were when it began."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from asyncgen.corpus.source import STANDARD
from asyncgen.errors import CorpusError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["digest_of"]


def digest_of(path: Path, flag: str) -> str:
    """Return the SHA-256 of a file that a flag names, in hexadecimal.

    Raises:
        CorpusError: If it cannot be read.
        SettingsError: If it can be read only once.
    """
    if path.name == STANDARD or path.is_fifo():
        raise SettingsError(f"{flag} {path.name}: must be a file, for each session reads it")
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise CorpusError(str(path), f"cannot be read ({error.strerror})") from error
