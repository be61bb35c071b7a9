"""The shipped files as they stand, and the paper's to hold them against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

__all__ = ["PAPER", "SEEDS", "lines_of", "needs_paper", "paper_texts"]

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"
PAPER = ROOT.parent / "shared" / "data"

needs_paper = pytest.mark.skipif(
    not PAPER.exists(), reason=f"the paper's files are not here ({PAPER})"
)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSONL file."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def paper_texts() -> tuple[list[str], list[str]]:
    """Return the instructions of the paper's seeds and user tasks, and all of their texts."""
    rows = lines_of(PAPER / "seed_tasks.jsonl")
    rows += lines_of(PAPER / "user_oriented_instructions.jsonl")
    instructions = [row["instruction"] for row in rows]
    texts = [
        text
        for row in rows
        for instance in row["instances"]
        for text in (instance["input"], instance["output"])
    ]
    return instructions, instructions + texts
