"""The rule that an instruction be in a given language: by the detector of the extra ``language``.

py3langid: a naive Bayes classifier over byte sequences, 139 languages, numpy only. Chosen by
measurement (``benchmarks/LOG.md``).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from asyncgen.errors import MissingExtraError, SettingsError
from asyncgen.settings import english_name, primary

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["other_than"]

_DECIDED = 0.5
"""Of all probability: more than all other languages together. Below, a text is too short or too
mixed to tell, and passes."""

_NO_LANGUAGE = "zxx"
_BROADER = {
    "arz": "ar",
    "ary": "ar",
    "gug": "gn",
    "nb": "no",
    "nn": "no",
    "sdh": "ku",
    "uzs": "uz",
    "wuu": "zh",
    "yue": "zh",
}
"""Varieties that count as the language they are written as."""


def other_than(code: str) -> Callable[[str], str | None]:
    """Return the rule that finds which other language a text clearly is in.

    Args:
        code: Of the language wanted.

    Raises:
        SettingsError: If the detector does not know that language.
        MissingExtraError: If it is not installed.
    """
    detector = _detector()
    wanted = _broad(primary(code))
    if wanted not in set(map(_broad, detector.labels)):
        raise SettingsError(
            f"--require-language {code}: the detector does not know {english_name(code)}; "
            "leave it out"
        )

    def other(text: str) -> str | None:
        """It is in another language than was asked for."""
        found, probability = detector.classify(text)
        decided = probability >= _DECIDED and found != _NO_LANGUAGE
        return str(found) if decided and _broad(found) != wanted else None

    return other


def _broad(code: str) -> str:
    return _BROADER.get(code, code)


@cache
def _detector() -> Any:
    """Load the detector, which takes half a second, once for a process."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise MissingExtraError("--require-language", "language") from error
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
