"""What an endpoint is asked while it is measured: the pipeline's own prompts, no two alike."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import packaged, read_few_shot, read_seed_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncgen.records import Request
    from asyncgen.settings import Settings

__all__ = ["SAMPLING", "questions"]

SAMPLING: dict[str, Any] = {"max_output_tokens": 256, "temperature": 0.7}
"""How answers are decoded, where nothing else was said."""

_FEWEST = 3
"""Tasks shown: of fewer there are not enough combinations that no prompt should come twice."""


def questions(settings: Settings, characters: int, run: int) -> Iterator[Request]:
    """Ask for new tasks, on and on: a fixed beginning, then as many seed tasks as fit.

    Args:
        settings: Say the interface and how to decode.
        characters: About how long a prompt is; it is longer only to show three tasks.
        run: Keys the drawing. Another number asks other prompts, which no cache can hold yet.
    """
    tasks = [task.instruction for task in read_seed_tasks(packaged("seed_tasks.jsonl"), at_least=1)]
    few_shot = read_few_shot()
    settings = msgspec.structs.replace(settings, seed=run)
    bare = PromptBook(settings, few_shot).generation(0, []).prompt.characters
    books: dict[int, PromptBook] = {}
    for ordinal in itertools.count():
        shown = _drawn(random.Random(f"{run}:{ordinal}"), tasks, characters - bare)  # noqa: S311
        count = len(shown)
        if count not in books:
            # The prompt names the number of the first new task.
            numbered = msgspec.structs.replace(settings, demonstrations=count)
            books[count] = PromptBook(numbered, few_shot)
        yield books[count].generation(ordinal, shown)


def _drawn(rng: random.Random, tasks: list[str], characters: int) -> list[str]:
    """Draw tasks until they fill so many characters, but some in any case."""
    shown: list[str] = []
    while True:
        # Not all of them for a short prompt: drawing takes longer than asking.
        some = min(len(tasks), _FEWEST + 1 + max(0, characters) // 20)
        for task in rng.sample(tasks, some):
            # "12. " and the end of the line
            characters -= len(task) + 5
            if len(shown) >= _FEWEST and characters < 0:
                return shown
            shown.append(task)
