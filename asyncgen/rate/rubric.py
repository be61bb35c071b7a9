"""The four levels of the paper's human evaluation (section 4.3), in our words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LETTERS", "RUBRIC", "TWO_LEVELS", "Level"]


class Level(Struct, frozen=True, kw_only=True):
    """One level.

    Attributes:
        letter: What it is stored and shown as.
        key: On the keyboard.
        name: In a few words.
        meaning: When a response is on it.
    """

    letter: str
    key: str
    name: str
    meaning: str


RUBRIC = (
    Level(
        letter="A",
        key="1",
        name="Correct and satisfying",
        meaning="It does what was asked, validly and in full.",
    ),
    Level(
        letter="B",
        key="2",
        name="Acceptable, small flaws",
        meaning="It does what was asked, with minor errors or flaws that could be mended.",
    ),
    Level(
        letter="C",
        key="3",
        name="Relevant, but wrong",
        meaning=(
            "It takes up the task, but its content has significant errors; also one that is right "
            "at first and then runs on into something else."
        ),
    ),
    Level(
        letter="D",
        key="4",
        name="Irrelevant or invalid",
        meaning="It does not take up the task, or is no valid response at all.",
    ),
)
"""From best to worst."""

LETTERS: Sequence[str] = tuple(level.letter for level in RUBRIC)

TWO_LEVELS = (0, 0, 1, 1)
"""The paper's coarser view: A and B are acceptable, C and D are not."""
