"""Which demonstrations a generation request shows."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["draw_demonstrations", "request_seed"]


def draw_demonstrations(
    keyed_by: tuple[int, int],
    human: Sequence[str],
    machine: Sequence[str],
    *,
    total: int,
    wanted_machine: int,
    known: int | None = None,
) -> list[str]:
    """Draw the ids that request ``keyed_by = (run seed, ordinal)`` shows, in order.

    As the paper does it (§2.2): up to ``wanted_machine`` of the machine-made,
    the rest human-written, without replacement, shuffled. The draw depends on
    its arguments alone, never on what was drawn before.

    Args:
        keyed_by: The run's seed and the request's ordinal.
        human: Ids of the seed tasks; at least ``total`` of them.
        machine: Ids of the machine-made pool.
        known: How many of them stood there ``look_ahead`` answers ago; ``None`` for all.
        total: How many to draw.
        wanted_machine: How many of them machine-made, where there are so many.
    """
    generator = random.Random("demonstrations:{}:{}".format(*keyed_by))  # noqa: S311 - no secret
    # By place: a part of the pool need not be copied for every draw.
    places = range(len(machine) if known is None else known)
    drawn = generator.sample(places, min(wanted_machine, len(places)))
    shown = [machine[place] for place in drawn]
    shown += generator.sample(human, total - len(shown))
    generator.shuffle(shown)
    return shown


def request_seed(run_seed: int, stage: str, key: str) -> int:
    """Return the sampling seed of one request, a non-negative 31-bit integer."""
    return random.Random(f"{stage}:{run_seed}:{key}").getrandbits(31)  # noqa: S311 - no secret
