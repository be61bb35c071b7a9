"""Writing a bundle of rows, as files or as a folder."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import orjson

from asyncgen.corpus.sink import Sink
from asyncgen.corpus.source import STANDARD
from asyncgen.dataset.bundle import TRAIN
from asyncgen.dataset.card import card_text
from asyncgen.dataset.folder import replace_folder
from asyncgen.dataset.parquet import parquet_file
from asyncgen.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from asyncgen.dataset.bundle import Bundle
    from asyncgen.dataset.card import Card
    from asyncgen.dataset.formats import Format, Row

__all__ = ["paths_of", "write_files", "write_folder"]

_COMPRESSED = frozenset({".gz", ".zst"})
_OURS = re.compile(r"README\.md|data/(train|validation)-\d{5}-of-\d{5}\.parquet")


def write_files(bundle: Bundle, form: Format, out: Path) -> list[Path]:
    """Write one file a split, whose names :func:`paths_of` tells, and return them.

    All are on the disk before the first takes the place of an old one.

    Raises:
        CorpusError: If one cannot be written.
        ExportError: If one breaks a rule of its format.
        MissingExtraError: If the format needs a library that is not installed.
    """
    paths = paths_of(out, list(bundle.splits))
    contents = {split: _packed(rows, form) for split, rows in bundle.splits.items()}
    _check(paths, contents, bundle, form)
    with contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(Sink(path)) for path in paths.values()]
        for sink, content in zip(sinks, contents.values(), strict=True):
            sink.write(content)
            sink.finish()
        for sink in sinks:
            sink.commit()
    return list(paths.values())


def write_folder(bundle: Bundle, form: Format, card: Card, out: Path) -> list[Path]:
    """Write a folder of a card and one Parquet file a split, and return it.

    Raises:
        ExportError: If it cannot be written, or holds what no export wrote.
        MissingExtraError: If pyarrow is not installed.
    """
    files = {"README.md": card_text(card, bundle).encode()}
    for split, rows in bundle.splits.items():
        files[f"data/{split}-00000-of-00001.parquet"] = _packed(rows, form)
    replace_folder(out, files, lambda name: _OURS.fullmatch(name) is not None)
    return [out]


def paths_of(out: Path, splits: Sequence[str]) -> dict[str, Path]:
    """Return the file of each split: ``tasks.jsonl``, or ``tasks.train.jsonl`` and so on."""
    if len(splits) == 1:
        return {splits[0]: out}
    count = 2 if out.suffix.lower() in _COMPRESSED else 1
    ending = "".join(out.suffixes[-count:])
    stem = out.name.removesuffix(ending)
    return {split: out.with_name(f"{stem}.{split}{ending}") for split in splits}


def _packed(rows: Sequence[Row], form: Format) -> bytes:
    if form.packing != "lines":
        return parquet_file(rows)
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _check(
    paths: Mapping[str, Path], contents: Mapping[str, bytes], bundle: Bundle, form: Format
) -> None:
    """Refuse what the consumer of a format would refuse.

    Raises:
        ExportError: With the rule, and how many rows were left out for which other.
    """
    if form.file_rules is None:
        return
    for split, path in paths.items():
        # What the standard output becomes is not for us to judge.
        name = "stdout.jsonl" if str(path) == STANDARD else path.name
        rows, size = len(bundle.splits[split]), len(contents[split])
        offence = form.file_rules(name, rows, size, split == TRAIN)
        if offence is not None:
            left_out = "".join(
                f"; left out {count:,} ({rule})" for rule, count in bundle.dropped.items()
            )
            raise ExportError(f"{path}: {offence}{left_out}")
