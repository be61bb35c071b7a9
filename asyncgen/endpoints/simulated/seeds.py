"""What the package's seeds and few-shot examples answer: used where a prompt asks for just that."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from asyncgen.records import Instance

__all__ = ["seed_decisions", "seed_instances", "seed_texts"]

_WORKED = ("seed_tasks.jsonl", "input_first.jsonl", "output_first.jsonl")
_DECIDED = ("seed_tasks.jsonl", "classification_decisions.jsonl")


@cache
def seed_decisions() -> dict[str, bool]:
    """Return whether each known instruction, on one line, is a classification task."""
    lines = (line for name in _DECIDED for line in _lines(name))
    return {_one_line(line["instruction"]): line["is_classification"] for line in lines}


@cache
def seed_instances() -> dict[str, tuple[Instance, ...]]:
    """Return the instances of each known instruction, on one line."""
    return {
        _one_line(line["instruction"]): tuple(
            Instance(given["input"], given["output"]) for given in line["instances"]
        )
        for name in _WORKED
        for line in _lines(name)
    }


@cache
def seed_texts() -> tuple[str, ...]:
    """Return plain sentences out of the seeds' inputs: material for the inputs of new tasks."""
    inputs = (given.input for known in seed_instances().values() for given in known)
    return tuple(text for text in inputs if 40 < len(text) < 200 and text.isprintable())


def _lines(name: str) -> list[dict[str, Any]]:
    package = Path(str(files("asyncgen")))
    # In a wheel beside the modules, in a checkout beside the package.
    path = package / "_seeds" / name
    content = (path if path.is_file() else package.parent / "seeds" / name).read_bytes()
    return [orjson.loads(line) for line in content.splitlines() if line.strip()]


def _one_line(text: str) -> str:
    return " ".join(text.split())
