"""A rater's sheet: which response comes next, and how far he is."""

from __future__ import annotations

import unicodedata
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.rate.responses import RatedTask, Response

__all__ = ["LONGEST_NAME", "Item", "Turn", "order", "rater_key", "tidy_name", "turn"]

LONGEST_NAME = 60
"""Characters of a rater's name."""


class Item(Struct, frozen=True, kw_only=True):
    """What is shown: no model's name among it.

    Attributes:
        number: Of the response.
        place: Which of the task's responses this is for this rater, from 1.
        of: How many responses the task has.
    """

    number: int
    task: RatedTask
    response: str
    place: int
    of: int


class Turn(Struct, frozen=True, kw_only=True):
    """Where a rater stands.

    Attributes:
        item: The next response; ``None`` when all are rated.
        last: The response whose rating can be taken back.
        counts: How often the rater gave each level.
    """

    rater: str
    rated: int
    total: int
    item: Item | None
    last: int | None
    counts: dict[str, int]


def tidy_name(name: str) -> str:
    """Return a name as it is shown: one line, single blanks, no invisible signs; may be empty."""
    text = unicodedata.normalize("NFC", name)
    kept = (" " if one.isspace() else one for one in text)
    return " ".join("".join(one for one in kept if one == " " or one.isprintable()).split())


def rater_key(name: str) -> str:
    """Return what a rater is known by: "Ada" and "ada " are one person."""
    return unicodedata.normalize("NFKC", tidy_name(name)).casefold()


def order(responses: Mapping[int, Response], rater: str, seed: int) -> list[int]:
    """Return the order in which a rater sees responses.

    Tasks come at random, and the responses to one task after each other, at random as well: a
    task is read once, and every model is rated about equally often wherever a rater stops. It
    follows from the rater, the seed and what is rated alone, so responses that are added later
    leave the others' order as it is.

    Args:
        responses: By their numbers.
        rater: The rater's key.
        seed: Of the study.

    Returns:
        Their numbers.
    """

    def drawn(*parts: str) -> bytes:
        name = "\0".join((str(seed), rater, *parts))
        return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def place(number: int) -> tuple[bytes, bytes]:
        one = responses[number]
        return drawn("task", one.task), drawn("response", one.task, one.model)

    return sorted(responses, key=place)


def turn(
    tasks: Mapping[str, RatedTask],
    responses: Mapping[int, Response],
    sequence: list[int],
    given: Mapping[int, str],
    rater: str,
) -> Turn:
    """Return where a rater stands.

    Args:
        tasks: By their ids.
        responses: By their numbers.
        sequence: The rater's order.
        given: The rater's ratings by response, the latest last.
        rater: The rater's name.
    """
    coming = next((number for number in sequence if number not in given), None)
    counts: dict[str, int] = {}
    for level in given.values():
        counts[level] = counts.get(level, 0) + 1
    return Turn(
        rater=rater,
        rated=len(given),
        total=len(sequence),
        item=_item(tasks, responses, sequence, coming) if coming is not None else None,
        last=list(given)[-1] if given else None,
        counts=counts,
    )


def _item(
    tasks: Mapping[str, RatedTask],
    responses: Mapping[int, Response],
    sequence: list[int],
    number: int,
) -> Item:
    response = responses[number]
    same = [one for one in sequence if responses[one].task == response.task]
    return Item(
        number=number,
        task=tasks[response.task],
        response=response.text,
        place=same.index(number) + 1,
        of=len(same),
    )
