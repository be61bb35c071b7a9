"""Answers to write, and programs that write them in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from asyncgen.journal import JournalReader
from asyncgen.records import Answer, Completion, Failures, Prompt, Request, Sampling, Usage

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["answer", "keys_in", "start"]

FIXED = "the same few-shot block for every request " * 50


def answer(key: int, text: str = "some text", fixed: str = FIXED) -> Answer:
    """Return an answer in which every field differs from its default."""
    sampling = Sampling(max_output_tokens=256, temperature=0.7, stop=("\n\n",), seed=key)
    return Answer(
        Request(
            "generation",
            str(key),
            Prompt(fixed, f"question {key}"),
            sampling,
            ("seed_1", f"t{key}"),
        ),
        Completion(
            text=text,
            finish_reason="length",
            usage=Usage(1000 + key, 20, 900),
            endpoint="api.example",
            model="test-model",
            cost=0.000125,
            choice_logprobs={" yes": -0.1, " no": -2.5},
            started_at=1.7e9 + key / 7,
            seconds=1.25,
            failures=Failures(rate=1, other=2),
        ),
    )


def keys_in(path: Path) -> list[int]:
    """Return the keys that a journal holds, in its order."""
    return [int(one.request.key) for one in JournalReader(path)]


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a Python program in a process of its own, its output on a pipe."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
