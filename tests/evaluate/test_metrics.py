"""Our stems are NLTK's and our scores rouge_score's: on real answers and on made-up ones."""

from __future__ import annotations

import random
import re
import string
from functools import cache
from typing import TYPE_CHECKING

import pytest
from evaluate.material import PREDICTIONS
from hypothesis import given
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from seeds.material import PAPER, lines_of, needs_paper

from asyncgen.evaluate.metrics import exact_match, rouge_l
from asyncgen.evaluate.porter import stem

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS = """
s ss sses ies ied ed eed ing y e ll al ance ence er ic able ible ant ement ment ent ion sion tion ou
ism ate iti ous ive ize ational tional enci anci izer bli abli alli entli eli ousli ization ation
ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful
ness skies dying lying news inning outings cannings howe proceed succeed
""".split()

SCORER = RougeScorer(["rougeL"], use_stemmer=True)
# It stems each word each time.
SCORER._tokenizer._stemmer.stem = cache(SCORER._tokenizer._stemmer.stem)


def reference(prediction: str, references: list[str]) -> float:
    return max(float(SCORER.score(one, prediction)["rougeL"].fmeasure) for one in references)


def test_made_up_words_have_nltk_s_stems() -> None:
    """Beginnings of all kinds before every ending that a rule speaks of, and two in a row."""
    theirs, rng = PorterStemmer(), random.Random(1)
    letters = "aeiouyybcdlstwxz1"
    words = {
        "".join(rng.choices(letters, k=rng.randrange(5))) + "".join(rng.choices(ENDINGS, k=parts))
        for parts in (1, 1, 2, 3)
        for _ in range(5_000)
    }

    assert len(words) > 10_000
    assert [word for word in words if stem(word) != theirs.stem(word)] == []


@needs_paper
def test_all_words_of_the_data_have_nltk_s_stems() -> None:
    theirs = PorterStemmer()
    texts = (path.read_text("utf-8") for path in PAPER.rglob("*.json*") if path.suffix != ".gz")
    words = {word for text in texts for word in re.findall("[a-z0-9]+", text.lower())}

    assert len(words) > 15_000
    assert [word for word in words if stem(word) != theirs.stem(word)] == []


@needs_paper
@pytest.mark.parametrize("path", PREDICTIONS, ids=lambda path: path.stem)
def test_real_answers_have_rouge_score_s_scores(path: Path) -> None:
    rows = lines_of(path)

    assert len(rows) == 252
    for row in rows:
        expected = reference(row["response"], [row["target"]])
        assert rouge_l(row["response"], [row["target"]]) == pytest.approx(expected, abs=1e-9)


WORDS = st.lists(
    st.sampled_from(["running", "runs", "ran", "Ponies", "poni", "a", "the", "1970s", "—", "é"])
)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_the_best_of_several_references_counts(said: list[str], expected: list[list[str]]) -> None:
    references = [" ".join(words) for words in expected]

    assert rouge_l(" ".join(said), references) == pytest.approx(
        reference(" ".join(said), references), abs=1e-9
    )


@given(st.text(), st.text())
def test_any_two_texts_have_rouge_score_s_score(said: str, expected: str) -> None:
    assert rouge_l(said, [expected]) == pytest.approx(reference(said, [expected]), abs=1e-9)


@pytest.mark.parametrize(
    ("said", "expected", "equal"),
    [
        ("Yes.", ["yes"], True),
        ("  The  Cat! ", ["the cat"], True),
        ("cat", ["the cat"], False),
        ("no", ["yes", "No"], True),
        ("B)", ["(B"], True),
        ("", ["..."], True),
        ("don't", ["dont"], True),
        ("two words", ["twowords"], False),
    ],
)
def test_case_punctuation_and_blanks_make_no_difference(
    said: str, expected: list[str], *, equal: bool
) -> None:
    assert exact_match(said, expected) is equal


def test_all_ascii_punctuation_is_passed_over_and_no_other() -> None:
    assert exact_match(f"a{string.punctuation}b", ["ab"])
    assert not exact_match("a—b", ["ab"])
