"""Text to ids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rouge_score import tokenize as rouge_tokenize
from similarity import reference

from asyncgen_kernels import Vocabulary, tokenize

AWKWARD = [
    "",
    " \t\n",
    "!?…—",
    "Write a C++ program, please; 3.14 times!",
    "under_score and-dash it's",
    "3 \u212a is three Kelvin: K, k, \u212aelvin",
    "\u0130stanbul",
    "\u017ftraße ẞ",
    "ΣΊΣΥΦΟΣ",
    "\uff26\uff35\uff2c\uff2c width \uff11\uff12",
    "x² ½ ① Ⅷ",
    "naïve café e\u0301te\u0301",
    "写一首诗 abc 日本語x",
    "🙂a🙂b",
    "zero\u200bwidth\u00adsoft",
    "nul\x00byte\x85next\u2028line",
    "a\ud800b",  # a lone surrogate, as broken JSON gives it
]


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_are_cut_as_by_rouge_score(text: str) -> None:
    assert tokenize(text) == rouge_tokenize.tokenize(text, None) == reference.tokens_of(text)


@settings(deadline=None)
@given(st.text(max_size=60))
@example("\u212a\u0130")
def test_any_text_is_cut_as_by_rouge_score(text: str) -> None:
    assert tokenize(text) == rouge_tokenize.tokenize(text, None) == reference.tokens_of(text)


def test_every_character_is_cut_as_by_rouge_score() -> None:
    """All of Unicode: which characters stand in a token, which end one."""
    text = "".join(f"a{chr(point)}b " for point in range(0x110000) if not 0xD800 <= point < 0xE000)

    assert tokenize(text) == rouge_tokenize.tokenize(text, None)


def test_lower_casing_comes_first() -> None:
    assert tokenize("\u212a") == ["k"]
    assert tokenize("\u0130i") == ["i", "i"]


def test_ids_follow_the_order_of_first_sight() -> None:
    vocabulary = Vocabulary()
    first, second = vocabulary.encode("b a, b"), vocabulary.encode("C a")

    assert first.tolist() == [0, 1, 0]
    assert second.tolist() == [2, 1]
    assert first.dtype == second.dtype == np.int32
    assert len(vocabulary) == 3
    assert "c" in vocabulary
    assert repr(vocabulary) == "<Vocabulary tokens=3>"


def test_finding_learns_nothing() -> None:
    vocabulary = Vocabulary()
    vocabulary.encode("a b")

    assert vocabulary.find(["b", "new", "new"]).tolist() == [1, -1, -1]
    assert len(vocabulary) == 2


def test_no_token_gives_an_empty_array() -> None:
    ids = Vocabulary().encode("¿?")

    assert ids.shape == (0,)
    assert ids.dtype == np.int32
