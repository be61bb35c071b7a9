"""Answers by request content: the same question, the same text, on every machine."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.endpoints.simulated.chance import mixed
from asyncgen.endpoints.simulated.questions import (
    Decide,
    DecideAll,
    Extend,
    Instruct,
    Judge,
    Rewrite,
    Work,
    question_of,
)
from asyncgen.endpoints.simulated.tasks import (
    instruction,
    is_classification,
    rewriting,
    variation,
)
from asyncgen.endpoints.simulated.worked import worked_block, worked_examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.endpoints.simulated.dialects import Asked

__all__ = ["CHARACTERS_PER_TOKEN", "Answer", "answer_to", "tokens_of"]

CHARACTERS_PER_TOKEN = 4

_YES_OF_100 = (92, 79, 58)
_REPEATS = 12  # one new item in so many is one of those shown, said again
_SURE = -0.02  # nats; the other answer gets the rest
_UNSURE = -3.9


class Answer(Struct, frozen=True):
    """A text and why it ends.

    Attributes:
        text: The answer.
        cut: Whether it ends because it may not be longer.
        likelihoods: Log-probability in nats of each possible answer, for decisions.
    """

    text: str
    cut: bool = False
    likelihoods: tuple[tuple[str, float], ...] = ()


def tokens_of(characters: int) -> int:
    """Return how many tokens so many characters are reckoned as: four each, rounded up."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def answer_to(asked: Asked, *, seed: int, usual_tokens: int) -> Answer:
    """Return the answer to a request.

    Args:
        asked: The request.
        seed: Of the provider: another seed, other answers.
        usual_tokens: Length of the answer to a prompt of no known form.
    """
    digest = blake2b(asked.prompt.encode("utf-8", "replace"), digest_size=8)
    key = mixed(int.from_bytes(digest.digest()) ^ asked.seed, seed)
    likelihoods: tuple[tuple[str, float], ...] = ()
    match question_of(asked.prompt, asked.last, asked.stops):
        case Extend() as question:
            text = _list(question, key)
        case Decide(task, capital):
            yes = is_classification(task)
            word = "yes" if yes else "no"
            word = word.capitalize() if capital else word
            text = word if asked.is_chat else f" {word}"
            likelihoods = ((" yes", _SURE if yes else _UNSURE), (" no", _UNSURE if yes else _SURE))
        case DecideAll(tasks, begun, capital):
            words = ["yes" if is_classification(one) else "no" for one in tasks]
            words = [word.capitalize() if capital else word for word in words]
            text = "\n".join(f"{number}. {word}" for number, word in enumerate(words, start=1))
            text = text.removeprefix("1.") if begun else text
        case Judge(begun):
            text = _verdicts(key)
            text = text.removeprefix("1.") if begun else text
        case Work() as question:
            text = worked_examples(question, key)
        case Rewrite(task, anew):
            text = instruction(key) if anew else rewriting(task, key)
        case Instruct():
            text = instruction(key)
        case _:
            text = _prose(key, usual_tokens)
    return _bounded(text, asked, likelihoods)


def _list(question: Extend, key: int) -> str:
    items = [
        (number, _item(question.shown, mixed(key, number)))
        for number in range(question.first, question.last + 1)
    ]
    if question.blocks:
        begun = f"{question.first}. Instruction:"
        text = "\n\n".join(worked_block(n, item, mixed(key, n)) for n, item in items)
    else:
        begun = f"{question.first}."
        text = "\n".join(f"{number}. {item}" for number, item in items)
    return text.removeprefix(begun) if question.begun else text


def _item(shown: Sequence[str], key: int) -> str:
    if shown and key % _REPEATS == 0:
        return variation(shown[(key >> 8) % len(shown)])
    return instruction(key)


def _verdicts(key: int) -> str:
    """Say yes as often as the paper's authors did of their data (table 2)."""
    said = [mixed(key, number) % 100 < share for number, share in enumerate(_YES_OF_100)]
    return "\n".join(f"{n}. {'yes' if yes else 'no'}" for n, yes in enumerate(said, start=1))


def _prose(key: int, tokens: int) -> str:
    """Return a piece of text of so many tokens, from a place in the store that the key says."""
    wanted = tokens * CHARACTERS_PER_TOKEN
    store = _store()
    start = key % len(store)
    text = store[start : start + wanted]
    while len(text) < wanted:
        text += store[: wanted - len(text)]
    return text


@cache
def _store() -> str:
    """Return sentences enough to cut answers from."""
    return " ".join(instruction(number) for number in range(1000))


def _bounded(text: str, asked: Asked, likelihoods: tuple[tuple[str, float], ...]) -> Answer:
    for stop in asked.stops:
        if stop:
            text = text.partition(stop)[0]
    room = asked.max_tokens * CHARACTERS_PER_TOKEN if asked.max_tokens is not None else None
    if room is not None and len(text) > room:
        return Answer(text[:room], cut=True, likelihoods=likelihoods)
    return Answer(text, likelihoods=likelihoods)
