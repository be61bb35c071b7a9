"""The study as the page's server knows it: raters come, get their next response, rate, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.rate.rubric import LETTERS
from asyncgen.rate.sheet import LONGEST_NAME, order, rater_key, tidy_name, turn

if TYPE_CHECKING:
    from asyncgen.rate.sheet import Turn
    from asyncgen.rate.store import Rater, RatingStore

__all__ = ["Desk"]


class Desk:
    """Gives out responses and takes ratings; every rating is in the store before it answers.

    Args:
        store: Of the study; its responses stay the same meanwhile.

    Attributes:
        kept: Ratings that were taken since it opened, less those that were taken back.
    """

    def __init__(self, store: RatingStore) -> None:
        self.kept = 0
        self._store = store
        self._tasks = {task.id: task for task in store.tasks()}
        self._responses = store.responses()
        self._seed = int(store.fact("seed"))
        self._orders: dict[str, list[int]] = {}

    def begin(self, name: str) -> Turn:
        """Return where a rater stands, one who comes for the first time too.

        Raises:
            ValueError: That is no name.
            RunFolderError: If a new one cannot be kept.
        """
        shown = tidy_name(name)
        if not shown or len(shown) > LONGEST_NAME:
            raise ValueError(f"a name has 1 to {LONGEST_NAME} characters")
        return self._turn(self._store.rater(rater_key(shown), shown))

    def rate(self, name: str, response: int, level: str) -> Turn:
        """Keep a rating; one that the rater gave this response before is replaced.

        Raises:
            ValueError: There is no such rater, response or level.
            RunFolderError: If it cannot be kept.
        """
        if level not in LETTERS:
            raise ValueError(f"no level '{level}'; there are {', '.join(LETTERS)}")
        rater = self._known(name, response)
        is_new = response not in self._store.given(rater.number)
        self._store.rate(rater.number, response, level)
        self.kept += is_new
        return self._turn(rater)

    def undo(self, name: str, response: int) -> Turn:
        """Take a rating back; nothing changes if there is none.

        Raises:
            ValueError: There is no such rater or response.
            RunFolderError: If that cannot be kept.
        """
        rater = self._known(name, response)
        was_there = response in self._store.given(rater.number)
        self._store.rate(rater.number, response, None)
        self.kept -= was_there
        return self._turn(rater)

    def _known(self, name: str, response: int) -> Rater:
        rater = self._store.find(rater_key(name))
        if rater is None:
            raise ValueError("nobody of that name has begun")
        if response not in self._responses:
            raise ValueError(f"no response {response}")
        return rater

    def _turn(self, rater: Rater) -> Turn:
        key = rater_key(rater.name)
        if key not in self._orders:
            self._orders[key] = order(self._responses, key, self._seed)
        given = self._store.given(rater.number)
        return turn(self._tasks, self._responses, self._orders[key], given, rater.name)
