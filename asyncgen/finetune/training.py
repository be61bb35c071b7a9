"""The training itself, which transformers' Trainer does; and what it must not forget when killed.

Imports torch: only :mod:`asyncgen.finetune.local` imports this, when all else is in order.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_callback import PrinterCallback

from asyncgen.errors import RunPausedError, TrainingError
from asyncgen.finetune.encoding import batch_of
from asyncgen.finetune.processes import is_first_process, processes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asyncgen.finetune.encoding import Sample, Sequences
    from asyncgen.finetune.losses import LossLog
    from asyncgen.finetune.tuning import Tuning
    from asyncgen.finetune.watch import Watch

__all__ = ["Course", "on_gpu", "train", "trainable"]

_WHOLE = "whole"
"""A file in a checkpoint that has all its others."""

_WARM_UP = 0.03
"""Share of the steps over which the learning rate rises; a few dozen do without, for the first
of a rise changes nothing."""

_KEPT = 2
"""Checkpoints. The last but one is there while the last is being written."""


def on_gpu() -> bool:
    """Whether a GPU is there that knows bfloat16."""
    return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported())


def trainable(model: Any, tuning: Tuning) -> Any:
    """Return the model as it is trained: with an adapter, or as it is.

    The adapter changes every linear layer but the last; its scale, alpha over rank, is 2.
    """
    set_seed(tuning.seed)
    if tuning.full:
        return model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=tuning.rank,
        lora_alpha=2 * tuning.rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


@dataclass(frozen=True, slots=True)
class Course:
    """What a training needs besides the model.

    Attributes:
        tuning: What is wanted.
        sequences: What is learned.
        pad: The token that fills sequences up.
        checkpoints: Folder of the checkpoints.
        log: Where losses are written.
        watch: Follows it.
    """

    tuning: Tuning
    sequences: Sequences
    pad: int
    checkpoints: Path
    log: LossLog
    watch: Watch


def train(model: Any, course: Course) -> None:
    """Train a model in place, going on from the last whole checkpoint if there is one.

    Raises:
        RunPausedError: If the watch stopped it; the checkpoint of the last step is whole.
        TrainingError: If the loss is no number any more.
    """
    checkpoint = _last_whole(course.checkpoints)
    if is_first_process():
        course.log.cut(0 if checkpoint is None else _step_of(checkpoint))
    keeper = _Keeper(course)
    trainer = Trainer(
        model=model,
        args=_arguments(course),
        train_dataset=course.sequences,  # pyright: ignore[reportArgumentType] - anything with a length
        data_collator=partial(_collate, pad=course.pad),
        callbacks=[keeper],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if keeper.stopped_at is not None:
        raise RunPausedError(f"stopped after step {keeper.stopped_at}")


def _arguments(course: Course) -> TrainingArguments:
    tuning, is_gpu = course.tuning, torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(course.checkpoints),
        per_device_train_batch_size=tuning.batch,
        gradient_accumulation_steps=tuning.accumulate,
        num_train_epochs=tuning.epochs,
        max_steps=tuning.steps or -1,
        learning_rate=tuning.rate,
        lr_scheduler_type="linear",
        warmup_steps=int(_WARM_UP * _steps(course)),
        bf16=tuning.dtype == "bf16",
        use_cpu=not is_gpu,
        seed=tuning.seed,
        logging_steps=1,
        # The keeper sees that a loss is no number.
        logging_nan_inf_filter=False,
        # The keeper decides when; the Trainer adds the end.
        save_strategy="steps",
        save_steps=1 << 31,
        save_total_limit=_KEPT,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=is_gpu,
        # Every weight that is trained has a part in every loss.
        ddp_find_unused_parameters=False,
    )


def _steps(course: Course) -> int:
    """Return about how many updates there will be."""
    tuning = course.tuning
    each = tuning.batch * tuning.accumulate * processes()
    return tuning.steps or math.ceil(tuning.epochs * math.ceil(len(course.sequences) / each))


def _collate(packs: Sequence[list[Sample]], pad: int) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(rows) for name, rows in batch_of(packs, pad).items()}


class _Keeper(TrainerCallback):  # type: ignore[misc]  # mypy does not read transformers
    """Writes losses down, has checkpoints made, and marks those that are whole.

    Attributes:
        stopped_at: The step after which the watch stopped it.
    """

    def __init__(self, course: Course) -> None:
        self.stopped_at: int | None = None
        self._course = course
        self._saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Decide whether to go on, and whether to have a checkpoint made."""
        stop = self._course.watch.stopped()
        due = time.monotonic() - self._saved >= self._course.tuning.save_every
        stop, due = _agreed(stop, args), _agreed(due, args)
        if stop and state.global_step < state.max_steps:
            self.stopped_at = state.global_step
            control.should_training_stop = True
        control.should_save = control.should_save or stop or due

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002 - its names
        """Write a loss down."""
        if "loss" not in logs or not state.is_world_process_zero:
            return
        if not math.isfinite(logs["loss"]):
            raise TrainingError(
                f"the loss is no number at step {state.global_step}: try a lower --learning-rate, "
                "or --dtype fp32, in another --out"
            )
        step = self._course.log.add(state.global_step, logs)
        self._course.watch.stepped(step, state.max_steps)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - its names
        """Mark a checkpoint as whole."""
        self._saved = time.monotonic()
        if state.is_world_process_zero:
            (self._course.checkpoints / f"checkpoint-{state.global_step}" / _WHOLE).touch()


def _agreed(wish: bool, args: Any) -> bool:  # noqa: FBT001 - of the first process
    """Return what the first process wants, so that all do the same."""
    if args.world_size == 1:
        return wish
    said = torch.tensor([wish], device=args.device)
    torch.distributed.broadcast(said, 0)
    return bool(said.item())


def _last_whole(checkpoints: Path) -> Path | None:
    """Return the last checkpoint that is whole; a kill may have come while one was written."""
    whole = [path.parent for path in checkpoints.glob(f"checkpoint-*/{_WHOLE}")]
    return max(whole, key=_step_of, default=None)


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
