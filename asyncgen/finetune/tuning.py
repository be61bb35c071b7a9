"""What a finetuning on this machine is told, and what comes of it."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from asyncgen.errors import SettingsError

__all__ = ["Dtype", "Form", "GgufType", "Step", "Tuned", "Tuning", "check"]

Form = Literal["prompt-completion", "chat"]
Dtype = Literal["fp32", "bf16"]
GgufType = Literal["q8_0", "f16", "none"]

_SECONDS = 120.0


class Tuning(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted. What is ``None`` follows from the data, the model and the machine.

    Attributes:
        data: A run folder, or a file that an export wrote.
        model: A folder, a GGUF file, a name on the hub, or ``local`` for the embedded model.
        out: The folder of this finetuning.
        form: How a task is put; ``prompt-completion`` for a run, and what a file holds.
        include_seeds: Whether a run's seed tasks are learned too, as in the original's scripts.
        full: Whether all weights are trained, instead of an adapter of low rank (LoRA).
        rank: Of the adapter; its scale is 2.
        epochs: How often each example is seen; the paper's 2.
        steps: Updates of the weights, instead of ``epochs``.
        batch: Sequences that each process computes at a time.
        accumulate: Batches whose gradients make one update.
        length: Tokens of the longest sequence.
        learning_rate: At its height; by default 2e-4, or 2e-5 for ``full``.
        packing: Whether examples share a sequence, none seeing another.
        dtype: What is computed in; ``bf16`` on a GPU that knows it, ``fp32`` elsewhere.
        seed: Keys templates, adapter and order.
        gguf: The type of a GGUF file's weights; ``q8_0`` where the model was one, else ``none``.
        save_every: Seconds between two checkpoints; may change between sessions.
        data_sha256: Of the examples, in hexadecimal; found out.
        model_sha256: What tells the model's weights from others; found out.
    """

    data: str
    model: str
    out: str
    form: Form | None = None
    include_seeds: bool = False
    full: bool = False
    rank: int = 8
    epochs: float = 2.0
    steps: int | None = None
    batch: int = 4
    accumulate: int = 4
    length: int = 1024
    learning_rate: float | None = None
    packing: bool = False
    dtype: Dtype | None = None
    seed: int = 42
    gguf: GgufType | None = None
    save_every: float = _SECONDS
    data_sha256: str = ""
    model_sha256: str = ""

    @property
    def rate(self) -> float:
        """The learning rate."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 2e-5 if self.full else 2e-4


class Step(Struct, frozen=True, kw_only=True):
    """One update of the weights: a line of ``losses.jsonl``.

    Attributes:
        step: From 1.
        epoch: How often the data were seen by then.
        loss: Mean cross-entropy, nats a token of the completions.
        grad_norm: Length of the gradient before it was clipped to 1.
        learning_rate: Of the update.
    """

    step: int
    epoch: float
    loss: float
    grad_norm: float
    learning_rate: float


class Tuned(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        examples: What was learned from.
        too_long: Examples that were left out for their length.
        tokens: Tokens of the completions that were learned, once through.
        sequences: What they were put into: as many as examples, fewer when packed.
        steps: Updates of the weights.
        first_loss: Mean over the first tenth of the steps.
        last_loss: Mean over the last tenth.
        trained: Numbers that were trained, and of how many in all.
        model: Folder of the finetuned model: safetensors and tokenizer.
        adapter: Folder of the adapter; ``None`` if all weights were trained.
        gguf: The GGUF file, if one was wanted.
        losses: JSON lines, see :class:`Step`.
    """

    examples: int
    too_long: int
    tokens: int
    sequences: int
    steps: int
    first_loss: float
    last_loss: float
    trained: tuple[int, int]
    model: str
    adapter: str | None
    gguf: str | None
    losses: str


_AT_LEAST_ONE = ("rank", "steps", "batch", "accumulate")
_POSITIVE = ("epochs", "learning_rate")


def check(tuning: Tuning) -> None:
    """Refuse settings that make no sense.

    Raises:
        SettingsError: Naming the flag.
    """
    for name in _AT_LEAST_ONE:
        value = getattr(tuning, name)
        if value is not None and value < 1:
            raise SettingsError(f"--{name} {value}: must be at least 1")
    for name in _POSITIVE:
        value = getattr(tuning, name)
        if value is not None and not 0 < value < math.inf:
            raise SettingsError(f"--{name.replace('_', '-')} {value}: must be a positive number")
    if tuning.length < 2:
        raise SettingsError(f"--length {tuning.length}: must be at least 2 tokens")
    if not 0 <= tuning.save_every < math.inf:
        raise SettingsError(f"--save-every {tuning.save_every}: must be 0 seconds or more")
    if not 0 <= tuning.seed < 1 << 32:
        raise SettingsError(f"--seed {tuning.seed}: must lie between 0 and 4294967295")
