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

    def look_up(self, prompt: str) -> tuple[int, list[int]]:
        """Return how many characters of a prompt's beginning are known, and its prefixes."""
        if len(prompt) < _FIRST:
            return 0, []
        prefixes = [hash(prompt[:_FIRST])]
        for start in range(_FIRST, len(prompt) - _STEP + 1, _STEP):
            prefixes.append(hash((prefixes[-1], prompt[start : start + _STEP])))
        known = 0
        while known < len(prefixes) and prefixes[known] in self._seen:
            known += 1
        return (_FIRST + (known - 1) * _STEP if known else 0), prefixes

    def keep(self, prefixes: list[int]) -> None:
        """Know these from now on."""
        if len(self._seen) > _MOST:
            self._seen.clear()
        self._seen.update(prefixes)
