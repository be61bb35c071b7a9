"""Porter's stemmer (1980, "An algorithm for suffix stripping"), as rouge_score uses it.

rouge_score takes NLTK's, which departs from the paper in a dozen places; those are marked here.
Snowball's "porter", the paper's own algorithm, stems 427 of 27,091 words of real tasks otherwise,
which is other scores; NLTK brings five packages and takes 0.35 s to import for this one page.
Tests hold it to NLTK's on all words of the data and on made-up ones.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Condition: TypeAlias = Callable[[str], bool]
    Rules: TypeAlias = tuple[tuple[str, str, Condition], ...]

__all__ = ["stem"]

_VOWELS = frozenset("aeiou")

# NLTK's, and not the paper's.
_IRREGULAR = {
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "innings": "inning",
    "outings": "outing",
    "cannings": "canning",
} | {
    word: word
    for word in ("sky news inning outing canning howe proceed exceed succeed").split()  # noqa: SIM905
}


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Return the stem of a word in lower case, of letters a-z and digits."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 2:
        return word
    for step in _STEPS:
        word = step(word)
    return word


def _kinds(word: str) -> str:
    """Return a "c" for each consonant and a "v" for each vowel; y is one after a consonant."""
    kinds: list[str] = []
    for letter in word:
        is_vowel = letter in _VOWELS or (letter == "y" and kinds[-1:] == ["c"])
        kinds.append("v" if is_vowel else "c")
    return "".join(kinds)


def _measure(word: str) -> int:
    """Return the paper's m: how often a consonant follows a vowel."""
    return _kinds(word).count("vc")


def _has_syllable(word: str) -> bool:
    return _measure(word) > 0


def _has_syllables(word: str) -> bool:
    return _measure(word) > 1


def _is_doubled(word: str) -> bool:
    """Return whether a word ends in the same consonant twice: the paper's *d."""
    return len(word) >= 2 and word[-1] == word[-2] and _kinds(word)[-1] == "c"


def _is_short(word: str) -> bool:
    """Return whether a word ends as "hop" does: the paper's *o; NLTK adds words as "at"."""
    kinds = _kinds(word)
    return (kinds.endswith("cvc") and word[-1] not in "wxy") or kinds == "vc"


def _replaced(word: str, rules: Rules) -> str:
    """Apply the first rule whose ending the word has, if what is left satisfies it."""
    for ending, replacement, condition in rules:
        if word.endswith(ending):
            left = word.removesuffix(ending)
            return left + replacement if condition(left) else word
    return word


def _plural(word: str) -> str:
    """Step 1a."""
    if word.endswith("ies"):
        # NLTK: "dies" is of "die", not of "di".
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    """Step 1b."""
    if word.endswith("ied"):
        # NLTK's, as for "ies".
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _has_syllable(word[:-3]) else word
    for ending in ("ed", "ing"):
        left = word.removesuffix(ending)
        if left != word and "v" in _kinds(left):
            return _rounded(left)
    return word


def _rounded(word: str) -> str:
    """Give a verb its "e" back, or take its doubled consonant away."""
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if _is_doubled(word):
        return word if word[-1] in "lsz" else word[:-1]
    return word + "e" if _measure(word) == 1 and _is_short(word) else word


def _y(word: str) -> str:
    """Step 1c; NLTK asks for a consonant before the y and a letter before that."""
    if word.endswith("y") and len(word) > 2 and _kinds(word[:-1])[-1] == "c":
        return word[:-1] + "i"
    return word


def _double_suffix(word: str) -> str:
    """Step 2; NLTK takes "alli" first, and what is left once more."""
    if word.endswith("alli") and _has_syllable(word[:-4]):
        return _double_suffix(word[:-2])
    return _replaced(word, _STEP_2)


def _e(word: str) -> str:
    """Step 5a."""
    if not word.endswith("e"):
        return word
    left = word[:-1]
    measure = _measure(left)
    return left if measure > 1 or (measure == 1 and not _is_short(left)) else word


def _ll(word: str) -> str:
    """Step 5b."""
    return word[:-1] if word.endswith("ll") and _has_syllables(word[:-1]) else word


_STEP_2: Rules = (
    *(
        (ending, replacement, _has_syllable)
        for ending, replacement in (
            ("ational", "ate"),
            ("tional", "tion"),
            ("enci", "ence"),
            ("anci", "ance"),
            ("izer", "ize"),
            ("bli", "ble"),  # the paper's is "abli"
            ("alli", "al"),
            ("entli", "ent"),
            ("eli", "e"),
            ("ousli", "ous"),
            ("ization", "ize"),
            ("ation", "ate"),
            ("ator", "ate"),
            ("alism", "al"),
            ("iveness", "ive"),
            ("fulness", "ful"),
            ("ousness", "ous"),
            ("aliti", "al"),
            ("iviti", "ive"),
            ("biliti", "ble"),
            ("fulli", "ful"),  # NLTK's
        )
    ),
    ("logi", "log", lambda left: _has_syllable(left + "l")),  # NLTK's
)
_STEP_3: Rules = tuple(
    (ending, replacement, _has_syllable)
    for ending, replacement in (
        ("icate", "ic"),
        ("ative", ""),
        ("alize", "al"),
        ("iciti", "ic"),
        ("ical", "ic"),
        ("ful", ""),
        ("ness", ""),
    )
)
_BEFORE_ION = "al ance ence er ic able ible ant ement ment ent".split()  # noqa: SIM905
_AFTER_ION = "ou ism ate iti ous ive ize".split()  # noqa: SIM905
_STEP_4: Rules = (
    *((ending, "", _has_syllables) for ending in _BEFORE_ION),
    ("ion", "", lambda left: left.endswith(("s", "t")) and _has_syllables(left)),
    *((ending, "", _has_syllables) for ending in _AFTER_ION),
)


def _single_suffix(word: str) -> str:
    """Step 3."""
    return _replaced(word, _STEP_3)


def _ending(word: str) -> str:
    """Step 4."""
    return _replaced(word, _STEP_4)


_STEPS = (_plural, _past, _y, _double_suffix, _single_suffix, _ending, _e, _ll)
