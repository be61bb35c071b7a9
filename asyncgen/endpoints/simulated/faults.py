"""Which fault strikes a request: decided by content and attempt, by a script, or by an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.endpoints.simulated.chance import mixed, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncgen.endpoints.simulated.options import Fault, Step

__all__ = ["Script", "drawn_fault"]

_FAULTS = 201  # salt


def drawn_fault(faults: Mapping[Fault, float], key: int, attempt: int, seed: int) -> Fault | None:
    """Return the fault that strikes one attempt at a content, or ``None``.

    Args:
        faults: Probability of each.
        key: Of the request's content.
        attempt: At this content, from 1; attempts refused by a limit do not count.
        seed: Of the provider.
    """
    left = uniform(mixed(key, seed), _FAULTS + attempt)
    for fault, share in faults.items():
        left -= share
        if left < 0:
            return fault
    return None


class Script:
    """The steps of a script, and how often each has struck."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)
        self._struck = [0] * len(self._steps)

    def fault(self, number: int, seconds: float) -> Fault | None:
        """Return the fault that strikes a request; the first step that is due decides.

        Args:
            number: Of the request, from 1.
            seconds: Since the first request.
        """
        for index, step in enumerate(self._steps):
            if self._is_due(index, step, number, seconds):
                self._struck[index] += 1
                return step.fault
        return None

    def _is_due(self, index: int, step: Step, number: int, seconds: float) -> bool:
        if step.nth is not None:
            return step.nth <= number < step.nth + step.count
        if step.at is None or seconds < step.at:
            return False
        if step.seconds is not None:
            return seconds < step.at + step.seconds
        return self._struck[index] < step.count
