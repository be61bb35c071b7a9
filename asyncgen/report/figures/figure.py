"""A figure: a picture, what it says in words, and the values behind it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["Cell", "Figure", "Table", "as_csv"]

Cell: TypeAlias = str | int | float | None


class Table(Struct, frozen=True):
    """The values of a figure; every row is as long as the columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Figure(Struct, frozen=True, kw_only=True):
    """A figure.

    Attributes:
        name: What its files are called.
        note: One sentence on how to read it, with what it amounts to.
        picture: An ``svg`` element, its colours given by classes.
    """

    name: str
    title: str
    note: str
    picture: Element
    table: Table


def as_csv(table: Table) -> str:
    """Return a table as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue()
