"""With ``--tokenizer unicode`` duplicates are found in any language; how many are not without."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from languages.material import CODES, near_duplicates, score_of, seeds_in, tokens_of

from asyncgen.dataset.families import families
from asyncgen.pipeline.exclusion import Excluded
from asyncgen.pipeline.novelty import Novelty
from asyncgen_kernels import tokenize

if TYPE_CHECKING:
    from asyncgen.settings import TokenizerName

THRESHOLD = 0.7
SEEDS = {code: seeds_in(code) for code in CODES}
NEAR = {code: [two for one in SEEDS[code] for two in near_duplicates(code, one)] for code in CODES}


def _novelty(code: str, tokenizer: TokenizerName) -> Novelty:
    seeds = {f"seed_{number}": text for number, text in enumerate(SEEDS[code])}
    return Novelty(THRESHOLD, seeds, Excluded(), tokenizer)


def _rejects(code: str, tokenizer: TokenizerName, text: str) -> bool:
    """Whether seeds alone, in a pool of their own, keep a text out."""
    return _novelty(code, tokenizer).admit("candidate", text).place is None


@pytest.mark.parametrize("code", CODES)
def test_seeds_are_cut_as_by_the_reference(code: str) -> None:
    texts = SEEDS[code] + [text for _, text in NEAR[code]]

    assert [tokenize(text, "unicode") for text in texts] == list(map(tokens_of, texts))


@pytest.mark.parametrize("code", CODES)
def test_the_seeds_of_a_language_are_no_duplicates_of_each_other(code: str) -> None:
    novelty = Novelty(THRESHOLD, {}, Excluded(), "unicode")

    assert all(novelty.admit(text, text).place is not None for text in SEEDS[code])


@pytest.mark.parametrize("code", CODES)
def test_a_near_duplicate_is_rejected_exactly_where_the_reference_is_above_the_threshold(
    code: str,
) -> None:
    near = {text: max(score_of(text, seed) for seed in SEEDS[code]) for _, text in NEAR[code][::7]}

    assert {text: _rejects(code, "unicode", text) for text in near} == {
        text: score > THRESHOLD for text, score in near.items()
    }


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(CODES), st.data())
def test_any_number_of_edits_is_judged_as_by_the_reference(code: str, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SEEDS[code]))
    for _ in range(data.draw(st.integers(1, 4))):
        text = data.draw(st.sampled_from(list(near_duplicates(code, text))))[1]
    score = max(score_of(text, seed) for seed in SEEDS[code])

    assert _rejects(code, "unicode", text) == (score > THRESHOLD)


@pytest.mark.parametrize(
    ("code", "missed_by_rouge"), [("zh", 1.0), ("de", 0.02), ("hi", 1.0), ("th", 1.0)]
)
def test_all_near_duplicates_are_rejected_and_those_that_ascii_misses_are_counted(
    code: str, missed_by_rouge: float
) -> None:
    found: dict[TokenizerName, Counter[str]] = {"unicode": Counter(), "rouge": Counter()}
    for tokenizer, counter in found.items():
        novelty = _novelty(code, tokenizer)
        for what, text in NEAR[code]:
            if novelty.admit(text, text).place is None:
                counter[what] += 1
    missed = len(NEAR[code]) - found["rouge"].total()
    told = f"{code}: {len(NEAR[code])} near-duplicates of {len(SEEDS[code])} seeds, missed by rouge"
    print(told, missed)  # noqa: T201 - what a reader of the test wants to know

    assert found["unicode"] == Counter(what for what, _ in NEAR[code])
    assert missed >= missed_by_rouge * len(NEAR[code])


def test_families_hold_near_duplicates_of_any_script_together() -> None:
    one, other = SEEDS["zh"][0], SEEDS["th"][0]
    texts = [one, other, one.replace("三", "五"), other + "ครับ"]

    assert families(texts, 0.6, tokenizer="unicode") == [0, 1, 0, 1]
    assert families(texts, 0.6) == [0, 1, 2, 3]
