"""What a trial found: promises kept or broken, and figures beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Verdict"]


@dataclass
class Verdict:
    """What was promised, and what was seen.

    Attributes:
        trial: Its name.
        figures: What is good to know.
        kept: Promises that held.
        broken: Promises that did not, each with what was seen instead.
        notes: What the command said, and how often.
    """

    trial: str
    figures: dict[str, float] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def hold(self, promise: str, held: bool, seen: object = "") -> None:  # noqa: FBT001 - reads as an assertion
        """Note whether a promise held; one that is noted again and again stands once."""
        if not held:
            self.broken.append(f"{promise}: {seen}" if seen != "" else promise)
        elif promise not in self.kept:
            self.kept.append(promise)

    def note(self, said: str) -> None:
        """Note what was said, and how often."""
        self.notes[said] = self.notes.get(said, 0) + 1

    def __str__(self) -> str:
        """Write it in lines for people."""
        marks = [f"  kept    {one}" for one in self.kept if not self._was_broken(one)]
        marks += [f"  BROKEN  {one}" for one in self.broken]
        figures = [f"  {name:44} {_shown(value):>12}" for name, value in self.figures.items()]
        notes = [f"  said {times} x: {said}" for said, times in self.notes.items()]
        return "\n".join([f"{self.trial}:", *figures, *notes, *marks])

    def _was_broken(self, promise: str) -> bool:
        return any(one.startswith(promise) for one in self.broken)


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
