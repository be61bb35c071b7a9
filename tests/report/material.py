"""Runs made by the real pipeline, engine and journal from a script of answers."""

from __future__ import annotations

import itertools
import math
import random
import re
from typing import TYPE_CHECKING

import anyio

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.pipeline.folder import RunFolder
from asyncgen.pipeline.run import Run
from asyncgen.records import Completion, Usage
from asyncgen.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncgen.records import Request

__all__ = ["BEGAN", "HOSTILE", "PAUSE", "make_run"]

HOSTILE = (
    "Explain <script>window.broken = 1</script> to a child who cannot sleep.",
    'Compare <img src="x" onerror="window.broken = 2"> with its own shadow.',
    "Rewrite </script></svg><b>this</b> & 'that' \u2028 as a short poem.",
    "Describe <a href='javascript:window.broken=3'>the link</a> in plain words.",
)
"""Instructions that would do something if they were taken for markup."""

BEGAN = 1.79e9
PAUSE = 600.0

_VERBS = "Explain Compare List Rewrite Summarise Invent Translate Describe Rank Plan".split()
_PARTS = "ba ce di fo gu ha ki lo mu na pe ri so tu va we".split()


def _words(rng: random.Random, count: int) -> str:
    return " ".join("".join(rng.choices(_PARTS, k=3)) for _ in range(count))


def _text(request: Request) -> str:
    """Answer from the request alone: items, some of them dropped, yes or no, and instances."""
    rng = random.Random(f"{request.stage} {request.key}")
    if request.stage == "classification":
        return " yes" if rng.random() < 0.25 else " no"
    if request.stage == "instances":
        return _instances(rng, request)
    first = int(re.findall(r"tasks (\d+) to \d+", request.prompt.variable)[-1])
    items = [f"{rng.choice(_VERBS)} the {_words(rng, 8)}." for _ in range(8)]
    if int(request.key) < len(HOSTILE):
        items[0] = HOSTILE[int(request.key)]
    items[5] = items[4].replace(".", " too.") if rng.random() < 0.5 else items[5]
    items[6] = f"Draw the {_words(rng, 6)}." if rng.random() < 0.3 else items[6]
    return "\n".join(f"{first + place}. {item}" for place, item in enumerate(items))


def _instances(rng: random.Random, request: Request) -> str:
    if rng.random() < 0.05:
        return "Output:"
    one, other = _words(rng, rng.randrange(3, 30)), _words(rng, rng.randrange(2, 40))
    if any("Label: " in answered for _, answered in request.prompt.turns):
        return f"Label: good\nInput: {one}\nLabel: <b>bad</b>\nInput: {other}"
    return f"Input: {one}\nOutput: {other}"


def _script(text_of: Callable[[Request], str]) -> Callable[[Request, int], Completion]:
    """Answer 20 requests a second in 2 s each, every 50th at the second attempt; with a pause."""
    numbers = itertools.count()

    def answer(request: Request, _attempt: int) -> Completion:
        number = next(numbers)
        text = text_of(request)
        return Completion(
            text=text,
            finish_reason="stop",
            usage=Usage(input_tokens=900, output_tokens=len(text.split()), cached_tokens=500),
            endpoint="api.example",
            model="test-<i>model</i>",
            cost=0.0001,
            started_at=BEGAN + number / 20 + (PAUSE if number >= 100 else 0),
            seconds=2.0,
            attempts=2 if number % 50 == 49 else 1,
        )

    return answer


def make_run(
    path: Path,
    target: int,
    *,
    answers: float = math.inf,
    text_of: Callable[[Request], str] = _text,
    **changes: object,
) -> Path:
    """Make a run of so many tasks in a folder; stop it after so many answers, if that is sooner."""
    flags = {
        "endpoint": ["http://127.0.0.1:9/v1"],
        "model": "scripted",
        "target": target,
        "few_shot": 2,
        **changes,
    }
    settings = resolve({}, flags)

    async def work() -> None:
        with Run.opened(RunFolder(path), settings) as run:
            script = _script(text_of)

            def answer(request: Request, attempt: int) -> Completion:
                nonlocal answers
                answers -= 1
                if answers <= 0:
                    run.session.stop()
                return script(request, attempt)

            await run.work([ScriptedEndpoint(answer)], lambda _line: None)
            run.write()

    anyio.run(work)
    return path
