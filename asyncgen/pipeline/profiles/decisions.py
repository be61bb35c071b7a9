"""Reading whether a task is a classification task, however a model says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.forms import CHOICES

if TYPE_CHECKING:
    from asyncgen.records import Completion

__all__ = ["read_decision", "read_decisions"]

_QUESTION = re.compile(r"\byes(?: or |/| / )no\b", re.IGNORECASE)
_AT_ONCE = re.compile(r"\A\W*(yes|no)\b", re.IGNORECASE)
_ANSWER_IS = re.compile(
    r"\b(?:answer|classification)(?: would be| is)?\W{1,6}(yes|no)\b", re.IGNORECASE
)
_STATEMENT = re.compile(
    r"(?:\b(?:is|isn't|was|as|be|considered)|'s)(?: [\w']+){0,3} classification (?:task|problem)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"not\b|n't\b", re.IGNORECASE)
# "no" before a noun says that something is missing.
_ALONE = re.compile(
    r"\b(yes|no)\b(?=\W*\Z|[^\w\s]|\n|,? (?:because|since|as|it|this)\b)", re.IGNORECASE
)


def read_decision(completion: Completion, yes_bias: float) -> bool | None:
    """Read a yes or no; the more likely where likelihoods are given; ``None`` if undecided.

    Of a text counts the word that it begins with, else what it says the answer to be, else that
    it is or is not a classification task, else a yes or no by itself.

    Args:
        completion: The answer.
        yes_bias: Added to the log-odds of yes, in nats.
    """
    if completion.finish_reason in {"error", "content_filter"}:
        return None
    if completion.choice_logprobs is not None:
        yes, no = (completion.choice_logprobs[choice] for choice in CHOICES)
        return yes + yes_bias > no
    text = _QUESTION.sub("", completion.text.replace("\u2019", "'"))
    stated = _STATEMENT.search(text)
    word = _AT_ONCE.search(text) or _ANSWER_IS.search(text)
    if word is None and stated is not None:
        return _NOT.search(_sentence_up_to(text, stated)) is None
    word = word or _ALONE.search(text)
    return None if word is None else word[1].lower() == "yes"


_NUMBERED = re.compile(r"^\W*(\d{1,3})\s?[.):](.*)$", re.MULTILINE)
_WORD = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def read_decisions(completion: Completion, count: int, *, begun: bool) -> list[bool | None]:
    """Read a numbered list of yes and no; ``None`` where a number has neither, or has both.

    Args:
        completion: The answer.
        count: Numbers that were asked about, from 1.
        begun: Whether it goes on behind the first number.
    """
    if completion.finish_reason != "stop":
        return [None] * count
    text = f"1.{completion.text}" if begun else completion.text
    found: dict[int, set[str]] = {}
    for number, said in _NUMBERED.findall(text):
        found.setdefault(int(number), set()).update(word.lower() for word in _WORD.findall(said))
    words = [found.get(number, set[str]()) for number in range(1, count + 1)]
    return [one == {"yes"} if len(one) == 1 else None for one in words]


def _sentence_up_to(text: str, found: re.Match[str]) -> str:
    return re.split(r"[.!?\n]", text[: found.end()])[-1]
