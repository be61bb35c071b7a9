"""A prompt cache: how much of a prompt's beginning was there before. OpenAI's steps."""

from __future__ import annotations

__all__ = ["PrefixCache"]

_FIRST = 1024 * 4  # characters: prefixes of 1,024 tokens and more are kept
_STEP = 128 * 4
_MOST = 200_000  # entries; a cache forgets


class PrefixCache:
    """The beginnings of earlier prompts, by their hashes."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def look_up(self, prompt: str) -> int:
        """Return the characters of a prompt's beginning that are known; from now on all are."""
        if len(prompt) < _FIRST:
            return 0
        known, end = 0, _FIRST
        chained = hash(prompt[:end])
        unbroken = True
        while True:
            unbroken = unbroken and chained in self._seen
            if unbroken:
                known = end
            self._seen.add(chained)
            if end + _STEP > len(prompt):
                break
            chained = hash((chained, prompt[end : end + _STEP]))
            end += _STEP
        if len(self._seen) > _MOST:
            self._seen.clear()
        return known
