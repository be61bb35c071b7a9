"""One thing to ask of a model and what is expected of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.records import Prompt, Request, Sampling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncgen.records import Api

__all__ = ["Question", "requests_for"]


class Question(Struct, frozen=True, kw_only=True):
    """A question.

    Attributes:
        id: Its name, unlike that of any other.
        shared: How its prompt begins, as those of other questions of the task do.
        own: How it goes on.
        references: Answers that would be right.
        task: What it belongs to.
        category: Of the task.
    """

    id: str
    shared: str
    own: str
    references: tuple[str, ...]
    task: str = ""
    category: str = ""


def requests_for(questions: Iterable[Question], api: Api, sampling: Sampling) -> list[Request]:
    """Return the requests that ask questions through an interface.

    Completions get the text in its two parts; who converses gets all of it as the user's message,
    for the paper's prompts are one text.
    """
    return [Request("survey", one.id, _prompt(one, api), sampling) for one in questions]


def _prompt(question: Question, api: Api) -> Prompt:
    if api == "completions":
        return Prompt(question.shared, question.own, api=api)
    return Prompt("", question.shared + question.own, api=api)
