"""What the answers of a run took, summed up by kind of request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.planning.tokens import prompt_tokens

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from asyncgen.planning.loads import Kind
    from asyncgen.records import Answer, Request

__all__ = ["Sums", "Tally", "tally_of"]


class Sums(Struct, frozen=True):
    """Totals of some answers.

    Attributes:
        counted: Answers whose tokens the endpoint reported.
        reckoned_tokens: Input tokens of those by our own reckoning.
        input_tokens: By the endpoint's.
        output_tokens: By the endpoint's.
        cached_tokens: Input tokens that came from its cache.
        timed: Answers that this run waited for and that were not failures.
        seconds: What those took, together.
    """

    counted: int = 0
    reckoned_tokens: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    timed: int = 0
    seconds: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.counted + other.counted,
            self.reckoned_tokens + other.reckoned_tokens,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.timed + other.timed,
            self.seconds + other.seconds,
        )


class Tally(Struct, frozen=True):
    """Totals by kind.

    Attributes:
        answers: All of them, failures too.
        cost: US dollars that the run paid: for answers with a known price, and for lost ones at
            their worst.
    """

    kinds: dict[Kind, Sums] = {}
    answers: int = 0
    cost: float = 0.0

    def of(self, kind: Kind) -> Sums:
        """Return the totals of one kind."""
        return self.kinds.get(kind, Sums())

    def of_all(self) -> Sums:
        """Return the totals of all kinds together."""
        return sum(self.kinds.values(), Sums())


def tally_of(answers: Iterable[Answer], classification: Collection[str]) -> Tally:
    """Sum answers up.

    Args:
        answers: From a journal, say.
        classification: Ids of the classification tasks, whose instances are asked label first.
    """
    kinds: dict[Kind, Sums] = {}
    count, cost = 0, 0.0
    for answer in answers:
        kind = _kind(answer.request, classification)
        kinds[kind] = kinds.get(kind, Sums()) + _sums(answer)
        count += 1
        cost += answer.completion.spent
    return Tally(kinds, count, cost)


def _kind(request: Request, classification: Collection[str]) -> Kind:
    if request.stage == "generation" or request.stage == "classification":  # noqa: PLR1714 - narrows its type
        return request.stage
    return "output_first" if request.key in classification else "input_first"


def _sums(answer: Answer) -> Sums:
    completion = answer.completion
    if completion.finish_reason == "error":
        return Sums()
    # How long one from a cache took says nothing of these endpoints and limits.
    timed, seconds = (0, 0.0) if completion.recalled else (1, completion.seconds)
    usage = completion.usage
    if not usage.input_tokens:
        return Sums(timed=timed, seconds=seconds)
    reckoned, _ = prompt_tokens(answer.request.prompt)
    return Sums(
        1,
        reckoned,
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        timed,
        seconds,
    )
