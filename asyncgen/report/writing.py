"""Files that appear whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.corpus.sink import Sink

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file; ``-`` is standard output.

    Raises:
        CorpusError: If it cannot be written.
    """
    with Sink(path) as sink:
        sink.write(data)
        sink.finish()
        sink.commit()
