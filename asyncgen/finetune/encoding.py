"""From examples to sequences of tokens, of which only completions are learned.

The loss is on completions alone, as the paper's ``prompt_loss_weight`` of 0 has it. A prompt is
made into tokens without its completion: so it will be when the model is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncgen.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncgen.finetune.examples import Examples

__all__ = ["IGNORED", "Encoded", "Sample", "Sequences", "batch_of", "encode", "sequences_of"]

IGNORED = -100
"""The label of what is not learned, as torch's cross-entropy knows it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One example.

    Attributes:
        tokens: Ids of the prompt and the completion, the end of the text included.
        prompt: How many of them are the prompt's.
    """

    tokens: list[int]
    prompt: int

    @property
    def labels(self) -> list[int]:
        """What is learned at each place; the first token follows from nothing."""
        unlearned = max(self.prompt, 1)
        return [IGNORED] * unlearned + self.tokens[unlearned:]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Examples as tokens.

    Attributes:
        too_long: How many were left out because they are longer than a sequence may be.
    """

    samples: list[Sample]
    too_long: int

    @property
    def tokens(self) -> int:
        """Tokens of completions."""
        return sum(len(sample.tokens) - sample.prompt for sample in self.samples)


def encode(examples: Examples, tokenizer: Any, length: int) -> Encoded:
    """Make tokens of examples.

    An example that is too long is left out: cut, it would teach to stop nowhere.

    Args:
        examples: What is learned from.
        tokenizer: Of transformers; its chat template is used where ``examples`` are chats.
        length: Tokens of the longest sequence.

    Raises:
        SettingsError: If all are too long, or the model has no chat template that can be used.
    """
    if examples.form == "chat":
        _check_template(tokenizer)
    sample = _chat_sample if examples.form == "chat" else _text_sample
    samples = [sample(row, tokenizer) for row in examples.rows]
    kept = [one for one in samples if len(one.tokens) <= length]
    if not kept:
        shortest = min(len(one.tokens) for one in samples)
        raise SettingsError(
            f"--length {length}: every example is longer, the shortest of {shortest} tokens"
        )
    return Encoded(kept, len(samples) - len(kept))


def _text_sample(row: dict[str, Any], tokenizer: Any) -> Sample:
    prompt: list[int] = tokenizer(row["prompt"])["input_ids"]
    if prompt and prompt[-1] == tokenizer.eos_token_id:
        # Of the few that end every text: here it goes on.
        prompt = prompt[:-1]
    return _sample(prompt, row["completion"], tokenizer)


def _chat_sample(row: dict[str, Any], tokenizer: Any) -> Sample:
    messages = row["messages"]
    asked = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    if not whole.startswith(asked):
        raise SettingsError(
            "--format chat: the model's chat template puts an answer otherwise than it asks for "
            "one; use --format prompt-completion"
        )
    # The template has written the beginning of the text, and its end but for line breaks.
    prompt = tokenizer(asked, add_special_tokens=False)["input_ids"]
    return _sample(prompt, whole[len(asked) :].rstrip(), tokenizer)


def _sample(prompt: list[int], completion: str, tokenizer: Any) -> Sample:
    answer: list[int] = tokenizer(completion, add_special_tokens=False)["input_ids"]
    if not answer or answer[-1] not in tokenizer.all_special_ids:
        answer = [*answer, tokenizer.eos_token_id]
    return Sample([*prompt, *answer], len(prompt))


def _check_template(tokenizer: Any) -> None:
    if not tokenizer.chat_template:
        raise SettingsError(
            "--format chat: the model has no chat template; use --format prompt-completion"
        )


@dataclass(frozen=True, slots=True)
class Sequences:
    """What a model computes, one example or several of them in each; made for torch's loader."""

    packs: list[list[Sample]]

    def __len__(self) -> int:
        return len(self.packs)

    def __getitem__(self, index: int) -> list[Sample]:
        return self.packs[index]


def sequences_of(samples: Sequence[Sample], length: int, *, packing: bool) -> Sequences:
    """Put each example into a sequence of its own, or as many as fit, in their order."""
    if not packing:
        return Sequences([[sample] for sample in samples])
    return Sequences(list(_packed(samples, length)))


def _packed(samples: Sequence[Sample], length: int) -> Iterator[list[Sample]]:
    pack: list[Sample] = []
    used = 0
    for sample in samples:
        if used + len(sample.tokens) > length:
            yield pack
            pack, used = [], 0
        pack.append(sample)
        used += len(sample.tokens)
    yield pack


def batch_of(packs: Sequence[list[Sample]], pad: int) -> dict[str, list[list[int]]]:
    """Return the rows of one batch, filled up to the longest on the right.

    Positions begin anew with each example: that is how transformers knows that none of those
    in one sequence may see another. The filling goes on from the last, and nothing sees it.

    Args:
        packs: The sequences.
        pad: The token to fill with.

    Returns:
        ``input_ids``, ``labels`` and ``position_ids``, of shape (sequences, tokens).
    """
    longest = max(sum(len(sample.tokens) for sample in pack) for pack in packs)
    rows: dict[str, list[list[int]]] = {"input_ids": [], "labels": [], "position_ids": []}
    for pack in packs:
        tokens = [token for sample in pack for token in sample.tokens]
        labels = [label for sample in pack for label in sample.labels]
        places = [place for sample in pack for place in range(len(sample.tokens))]
        missing = longest - len(tokens)
        rows["input_ids"].append(tokens + [pad] * missing)
        rows["labels"].append(labels + [IGNORED] * missing)
        rows["position_ids"].append(places + list(range(places[-1] + 1, places[-1] + 1 + missing)))
    return rows
