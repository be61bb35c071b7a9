"""Rows as a Parquet file, by pyarrow (extra ``parquet``)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from asyncgen.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.dataset.examples import Example

__all__ = ["columns", "parquet_file"]


def columns(example: Example) -> dict[str, object]:
    """Return a row of all that is known of an example."""
    return {
        "id": f"{example.task}:{example.number}",
        "task": example.task,
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
        "is_classification": example.is_classification,
        "is_seed": example.is_seed,
    }


def parquet_file(rows: Sequence[dict[str, object]]) -> bytes:
    """Return a Parquet file of rows that :func:`columns` made; the same rows are the same bytes.

    Raises:
        MissingExtraError: If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("a Parquet file", "parquet") from error
    text, flag = pa.string(), pa.bool_()
    schema = pa.schema(
        [
            ("id", text),
            ("task", text),
            ("instruction", text),
            ("input", text),
            ("output", text),
            ("is_classification", flag),
            ("is_seed", flag),
        ]
    )
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), buffer)
    return buffer.getvalue()
