"""When a session is killed: drawn at random, over all that a session does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random

    from ordeal.session import Session

__all__ = ["Kind", "Moment", "log_uniform", "moments"]

Kind = Literal["starting", "compiling", "working", "writing"]


@dataclass(frozen=True)
class Moment:
    """A moment in the life of a session.

    Attributes:
        kind: While the process starts; while the kernels compile, nothing being in their
            cache; while requests are in the air; or while an output is written.
        seconds: After the beginning of that.
        output: Which of the two outputs, for writing.
    """

    kind: Kind
    seconds: float
    output: int = 0

    def await_in(self, session: Session) -> bool:
        """Return when it has come; false if the session ended before."""
        if self.kind == "working" and not session.wait_until_at_work():
            return False
        if self.kind == "writing":
            output = session.task.outputs[self.output]
            if not session.wait_for(lambda: session.is_writing(output)):
                return False
        return session.lasts(self.seconds)


def log_uniform(rng: random.Random, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform between those of the bounds."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def moments(rng: random.Random, kills: int, *, compiling: float = 0.04) -> list[Kind]:
    """Return the kinds of so many kills in a random order, those while writing at the end.

    Args:
        rng: Draws the order.
        kills: How many.
        compiling: Share of those that find no kernel compiled: half a minute of CPU each.
    """
    count: dict[Kind, int] = {
        "starting": kills // 5,
        "compiling": math.ceil(kills * compiling),
        "writing": max(1, kills // 10),
    }
    count["working"] = kills - sum(count.values())
    kinds: list[Kind] = [
        kind for kind, times in count.items() for _ in range(times) if kind != "writing"
    ]
    rng.shuffle(kinds)
    kinds.extend("writing" for _ in range(count["writing"]))
    return kinds
