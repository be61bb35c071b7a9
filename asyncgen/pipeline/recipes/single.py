"""Asking for one instruction after examples, and reading it from an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.recipes.values import Question
from asyncgen.records import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.records import Api

__all__ = ["after_examples", "only_paragraph"]

_LABEL = re.compile(
    r"\A\s*(?:\*\*)?(?:(?:New|Rewritten) )?(?:Task|Instruction)(?:\*\*)?[ \t]*:(?:\*\*)?\s*",
    re.IGNORECASE,
)
_QUOTES = (('"', '"'), ("“", "”"), ("'", "'"))


def after_examples(
    header: tuple[str, str], examples: Sequence[tuple[str, str]], asked: str, label: str, api: Api
) -> Question:
    """Ask for what an example has behind its label.

    Args:
        header: What stands before the examples: for a conversation, and in a text.
        examples: What was asked and answered.
        asked: What is asked now.
        label: What stands before an answer in a text that goes on.
        api: The interface.
    """
    if api != "completions":
        return Question(Prompt(header[0], asked, tuple(examples), api))
    written = "".join(f"{said}\n{label} {answered}\n\n" for said, answered in examples)
    return Question(Prompt(f"{header[1]}{written}", f"{asked}\n{label}", api=api), ("\n",))


def only_paragraph(text: str) -> str:
    """Return the first paragraph, without a label before it or quotation marks around it."""
    first = _LABEL.sub("", text).strip().partition("\n\n")[0].strip()
    for opening, closing in _QUOTES:
        if len(first) > 1 and first.startswith(opening) and first.endswith(closing):
            inner = first[1:-1]
            return inner if opening not in inner else first
    return first
