"""Stanford Alpaca's three fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncgen.dataset.examples import Example

__all__ = ["alpaca"]


def alpaca(example: Example) -> dict[str, object]:
    """Return a row of ``instruction``, ``input`` (empty where none is needed) and ``output``."""
    return {
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
    }
