"""What is learned, token by token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from finetune.material import ROWS

from asyncgen.errors import SettingsError
from asyncgen.finetune.encoding import IGNORED, Sample, batch_of, encode, sequences_of
from asyncgen.finetune.examples import Examples

if TYPE_CHECKING:
    from pathlib import Path

CHATS = [
    {
        "messages": [
            {"role": "user", "content": row["prompt"]},
            {"role": "assistant", "content": row["completion"].strip()},
        ]
    }
    for row in ROWS
]


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(model))


def learned(sample: Sample) -> list[int]:
    return [label for label in sample.labels if label != IGNORED]


def test_completions_alone_are_learned_and_end_the_text(tokenizer: Any) -> None:
    encoded = encode(Examples("prompt-completion", list(ROWS)), tokenizer, 512)
    for row, sample in zip(ROWS, encoded.samples, strict=True):
        prompt, answer = row["prompt"], row["completion"]
        assert tokenizer.decode(sample.tokens[: sample.prompt]) == prompt
        assert tokenizer.decode(learned(sample)) == f"{answer}<|end|>"
        assert len(sample.labels) == len(sample.tokens)
    assert encoded.tokens == sum(len(learned(sample)) for sample in encoded.samples)


def test_a_prompt_is_made_into_tokens_as_when_the_model_is_asked(tokenizer: Any) -> None:
    encoded = encode(Examples("prompt-completion", list(ROWS)), tokenizer, 512)
    for row, sample in zip(ROWS, encoded.samples, strict=True):
        assert sample.tokens[: sample.prompt] == tokenizer(row["prompt"])["input_ids"]


def test_of_a_chat_the_last_answer_is_learned_and_no_mark_that_stands_before_it(
    tokenizer: Any,
) -> None:
    encoded = encode(Examples("chat", list(CHATS)), tokenizer, 512)
    for row, sample in zip(CHATS, encoded.samples, strict=True):
        asked = f"<|user|>{row['messages'][0]['content']}<|end|>\n<|assistant|>"
        assert tokenizer.decode(sample.tokens[: sample.prompt]) == asked
        assert tokenizer.decode(learned(sample)) == f"{row['messages'][1]['content']}<|end|>"


def test_a_model_without_a_chat_template_is_refused_chats(tokenizer: Any) -> None:
    from copy import deepcopy

    bare = deepcopy(tokenizer)
    bare.chat_template = None
    with pytest.raises(SettingsError, match="no chat template"):
        encode(Examples("chat", list(CHATS)), bare, 512)


def test_a_template_that_puts_answers_otherwise_is_refused(tokenizer: Any) -> None:
    from copy import deepcopy

    odd = deepcopy(tokenizer)
    odd.chat_template = "{{ messages | length }}"
    with pytest.raises(SettingsError, match="otherwise than it asks"):
        encode(Examples("chat", list(CHATS)), odd, 512)


def test_what_is_too_long_is_left_out_whole_and_counted(tokenizer: Any) -> None:
    every = encode(Examples("prompt-completion", list(ROWS)), tokenizer, 512)
    lengths = sorted(len(sample.tokens) for sample in every.samples)
    encoded = encode(Examples("prompt-completion", list(ROWS)), tokenizer, lengths[-2])
    assert encoded.too_long == sum(length > lengths[-2] for length in lengths) > 0
    assert len(encoded.samples) == len(ROWS) - encoded.too_long
    with pytest.raises(SettingsError, match=f"the shortest of {lengths[0]} tokens"):
        encode(Examples("prompt-completion", list(ROWS)), tokenizer, lengths[0] - 1)


def test_packs_are_full_as_far_as_examples_fit_and_keep_all_of_them() -> None:
    samples = [Sample(list(range(size)), 1) for size in (4, 3, 3, 10, 2, 2)]
    packs = sequences_of(samples, 10, packing=True).packs
    assert [[len(sample.tokens) for sample in pack] for pack in packs] == [[4, 3, 3], [10], [2, 2]]
    assert [sample for pack in packs for sample in pack] == samples
    assert len(sequences_of(samples, 10, packing=False)) == len(samples)


def test_a_batch_is_filled_up_and_what_fills_it_is_not_learned() -> None:
    packs = [[Sample([5, 6, 7], 1), Sample([8, 9], 1)], [Sample([4, 3], 0)]]
    assert batch_of(packs, pad=0) == {
        "input_ids": [[5, 6, 7, 8, 9], [4, 3, 0, 0, 0]],
        "labels": [[IGNORED, 6, 7, IGNORED, 9], [IGNORED, 3, IGNORED, IGNORED, IGNORED]],
        "position_ids": [[0, 1, 2, 0, 1], [0, 1, 2, 3, 4]],
    }


def test_packed_examples_do_not_see_each_other(model: Path, tokenizer: Any) -> None:
    """The model says of each token what it says of it when the example stands alone."""
    import torch

    from asyncgen.finetune.base import find_base, load_model

    samples = encode(Examples("prompt-completion", list(ROWS)), tokenizer, 512).samples
    packs = sequences_of(samples, 60, packing=True).packs
    assert 1 < len(packs) < len(samples)
    llama = load_model(find_base(str(model)), "fp32").eval()
    told = {name: torch.tensor(rows) for name, rows in batch_of(packs, pad=0).items()}
    with torch.no_grad():
        together = llama(input_ids=told["input_ids"], position_ids=told["position_ids"]).logits
        for row, pack in zip(together, packs, strict=True):
            start = 0
            for sample in pack:
                alone = llama(input_ids=torch.tensor([sample.tokens])).logits[0]
                end = start + len(sample.tokens)
                torch.testing.assert_close(row[start:end], alone, rtol=1e-4, atol=1e-5)
                start = end
        mixed = llama(input_ids=told["input_ids"]).logits
    # Without positions that begin anew it would be otherwise: the comparison can fail.
    assert not torch.allclose(mixed, together, rtol=1e-4, atol=1e-5)
