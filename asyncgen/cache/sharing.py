"""A run's part in a shared cache: it takes and gives, and does without when the cache fails."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from asyncgen.cache.store import key_of
from asyncgen.journal import Committer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from asyncgen.cache.store import AnswerCache
    from asyncgen.records import Answer, Completion, Request

    Kept: TypeAlias = tuple[bytes, str, Completion]

__all__ = ["Sharing"]

_SHARED = frozenset({"stop", "length"})
"""How answers end that others would get as well. A content filter is the endpoint's and the
account's, an error the moment's."""


class Sharing:
    """Takes answers from a cache on the event loop, and gives to it by a thread.

    Args:
        cache: Open.
        say: Told once if it fails, for the person who waits; called where ``recall`` and
            ``keep`` are, or at the end.
    """

    def __init__(self, cache: AnswerCache, say: Callable[[str], None]) -> None:
        self._cache = cache
        self._say = say
        self._committer: Committer[Kept] = Committer("cache", self._commit)
        self._reads = True
        self._failure: Exception | None = None
        self._told = False

    def recall(self, request: Request, identities: Iterable[str]) -> Completion | None:
        """Return an answer of the first of these models that gave one."""
        if not self._reads:
            return None
        try:
            for identity in identities:
                if (found := self._cache.find(key_of(request, identity))) is not None:
                    return found
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            if not _is_busy(error):
                self._reads = False
                self._failure = self._failure or error
                self._tell()
        return None

    def keep(self, answer: Answer, identity: str) -> None:
        """Give an answer of a model to others; it is in their reach soon after."""
        completion = answer.completion
        if self._failure is not None:
            self._tell()
        elif completion.finish_reason in _SHARED and not completion.recalled:
            self._committer.put((key_of(answer.request, identity), identity, completion))

    def __enter__(self) -> Self:
        self._committer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._committer.__exit__(kind, error, trace)
        if self._failure is not None:
            self._tell()

    def _commit(self, group: list[Kept]) -> None:
        if self._failure is not None:
            return
        try:
            self._cache.add(group)
        except (sqlite3.Error, ValueError, OverflowError) as error:
            self._failure = error

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            left = "answers are still taken from it" if self._reads else "the run goes on without"
            self._say(f"{self._cache.path}: no longer shared ({self._failure}); {left}")


def _is_busy(error: Exception) -> bool:
    """Whether somebody has the file to himself for a moment, as who mends it after a crash."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY
