"""Prompts and completions as the paper encodes its data for GPT-3, in varied templates.

After Wang et al. (2022), and the encoding that their code does. Where that
draws from one generator in turn, here each row draws from its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from asyncgen.dataset.chance import generator

if TYPE_CHECKING:
    import random

    from asyncgen.dataset.examples import Example

__all__ = [
    "END_OF_TEXT",
    "PLAIN",
    "WITHOUT_INPUT",
    "WITH_INPUT",
    "Templates",
    "prompt_completion",
]

Templates = Literal["varied", "plain"]

END_OF_TEXT = "<|endoftext|>"
"""What ends a text for GPT-3."""

WITH_INPUT = (
    "{instruction}\nInput: {input}\nOutput:",
    "{instruction}\n\nInput: {input}\n\nOutput:",
    "Task: {instruction}\nInput: {input}\nOutput:",
    "{instruction}\n\n{input}\n\nOutput:",
    "{instruction}\n\n{input}\n\n",
    "{instruction}\n{input}\n\n",
    "Task: {instruction}\n\n{input}\n\n",
)
WITHOUT_INPUT = (
    "{instruction} Output:",
    "{instruction}\nOutput:",
    "{instruction}\n\nOutput:",
    "{instruction}\n",
    "{instruction}\n\n",
    "Task: {instruction}\n\n",
)
PLAIN = "{instruction}\n\n{input}\n\n"

_FIELD_NAME = re.compile(r"(\w+):")


def prompt_completion(
    example: Example, *, seed: int, templates: Templates, end: str
) -> dict[str, object]:
    """Return ``prompt`` and ``completion``.

    A completion begins with a blank exactly where its prompt ends in "Output:".

    Args:
        example: The row.
        seed: Keys the choices, with the task's id and the instance's number.
        templates: ``varied`` draws one of the paper's, after it tossed a coin whether to
            tidy the input; ``plain`` chooses nothing.
        end: What ends a completion.
    """
    instruction, given = example.instruction.strip(), example.input
    template = PLAIN
    if templates == "varied":
        draw = generator(seed, "template", f"{example.task}:{example.number}")
        given = _tidied(given, draw)
        template = draw.choice(WITH_INPUT if given.strip() else WITHOUT_INPUT)
    # Not one after the other: an instruction may hold the other's name in braces.
    prompt = template.format(instruction=instruction, input=given.strip())
    blank = " " if template.endswith("Output:") else ""
    return {"prompt": prompt, "completion": f"{blank}{example.output.strip()}{end}"}


def _tidied(text: str, draw: random.Random) -> str:
    """Half of the time, drop the name of an input's only field, and single its blank lines."""
    if draw.random() >= 0.5:
        return text
    if len(set(_FIELD_NAME.findall(text))) == 1:
        text = text.split(":", 1)[1].strip()
    return text.replace("\n\n", "\n")
