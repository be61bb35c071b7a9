"""Finetuning on this machine, from a run to a model that can be served."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.errors import RunFolderError, SettingsError, TrainingError
from asyncgen.finetune.base import check_extra, find_base, load_model, load_tokenizer
from asyncgen.finetune.encoding import encode, sequences_of
from asyncgen.finetune.examples import read_examples
from asyncgen.finetune.folder import JobFolder
from asyncgen.finetune.losses import LossLog, read_losses, tenths
from asyncgen.finetune.processes import is_first_process
from asyncgen.finetune.tuning import Tuned, Tuning, check
from asyncgen.finetune.watch import Watch
from asyncgen.journal import RunLock

if TYPE_CHECKING:
    from collections.abc import Generator

    from asyncgen.finetune.base import Base
    from asyncgen.finetune.examples import Examples

__all__ = ["tune"]

_RESULT = "tuned.json"
_MAY_CHANGE = frozenset({"data", "model", "out", "save_every"})
"""Between sessions. Of data and model the hashes decide, wherever they lie."""


def tune(tuning: Tuning, watch: Watch | None = None) -> Tuned:
    """Finetune a model, or go on where a session before was stopped or killed.

    On one processor type, with one number of threads, what comes of it is the same however
    often it was stopped. After Wang et al. (2022), section 3.3: two epochs, varied templates,
    no loss on prompts.

    Args:
        tuning: What is wanted.
        watch: Told of what goes on.

    Returns:
        What came of it; at once where all was done before.

    Raises:
        InputError: If settings, data, model or folder cannot be used.
        RunPausedError: If the watch stopped it; the same call goes on.
        TrainingError: If the training broke down.
    """
    check(tuning)
    check_extra()
    # Several processes are one finetuning: the first speaks for all.
    watch = watch if watch is not None and is_first_process() else Watch()
    folder = JobFolder(Path(tuning.out).absolute(), Tuning, "tuning.toml")
    with _held(folder):
        examples = read_examples(tuning)
        base = find_base(tuning.model, watch.fetched)
        settled = _settled(tuning, examples, base)
        if is_first_process():
            folder.freeze(settled, _MAY_CHANGE)
            folder.write("data.jsonl", examples.as_lines())
        done = folder.path / _RESULT
        if done.is_file():
            return _placed(msgspec.json.decode(done.read_bytes(), type=Tuned), folder)
        with _translated(folder):
            return _placed(_tuned(settled, examples, base, folder, watch), folder)


@contextlib.contextmanager
def _held(folder: JobFolder[Tuning]) -> Generator[None]:
    """Hold the folder for this process, and for those that accelerate started with it."""
    if not is_first_process():
        yield
        return
    folder.make()
    with RunLock(folder.path):
        folder.sweep()
        yield


def _settled(tuning: Tuning, examples: Examples, base: Base) -> Tuning:
    """Return the settings with everything that was left open."""
    from asyncgen.finetune.training import on_gpu

    gguf = tuning.gguf or ("none" if base.gguf is None else "q8_0")
    if gguf != "none" and base.gguf is None:
        raise SettingsError(
            f"--gguf {gguf}: only a model that was a GGUF file is written as one; leave it out, "
            "and convert the result with llama.cpp's convert_hf_to_gguf.py"
        )
    return msgspec.structs.replace(
        tuning,
        form=examples.form,
        learning_rate=tuning.rate,
        dtype=tuning.dtype or ("bf16" if on_gpu() else "fp32"),
        gguf=gguf,
        data_sha256=hashlib.sha256(examples.as_lines()).hexdigest(),
        model_sha256=base.identity,
    )


@contextlib.contextmanager
def _translated(folder: JobFolder[Tuning]) -> Generator[None]:
    """Put what the libraries raise in our words."""
    import torch
    from safetensors import SafetensorError

    try:
        with warnings.catch_warnings():
            # What the libraries will change is no concern of who uses this one.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            "not enough memory on the GPU: lower --batch (and raise --accumulate), or --length, in "
            "another --out"
        ) from error
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunFolderError(folder.path, f"cannot be written ({reason})") from error


def _tuned(
    tuning: Tuning, examples: Examples, base: Base, folder: JobFolder[Tuning], watch: Watch
) -> Tuned:
    from transformers.utils import logging

    from asyncgen.finetune.training import Course, train, trainable

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = load_tokenizer(base)
    encoded = encode(examples, tokenizer, tuning.length)
    sequences = sequences_of(encoded.samples, tuning.length, packing=tuning.packing)
    watch.say(
        f"{len(encoded.samples):,} examples, {encoded.tokens:,} tokens to learn; loading the model"
    )
    # What is trained as a whole needs more digits than it is computed with.
    model = trainable(load_model(base, "fp32" if tuning.full else tuning.dtype or "fp32"), tuning)
    counts = _counts(model)
    checkpoints = folder.path / "checkpoints"
    log = folder.path / "losses.jsonl"
    pad = tokenizer.pad_token_id
    course = Course(
        tuning=tuning,
        sequences=sequences,
        pad=tokenizer.eos_token_id if pad is None else pad,
        checkpoints=checkpoints,
        log=LossLog(log),
        watch=watch,
    )
    train(model, course)
    steps = read_losses(log)
    first, last = tenths(steps)
    tuned = Tuned(
        examples=len(encoded.samples),
        too_long=encoded.too_long,
        tokens=encoded.tokens,
        sequences=len(sequences),
        steps=len(steps),
        first_loss=first,
        last_loss=last,
        trained=counts,
        model="model",
        adapter=None if tuning.full else "adapter",
        gguf=None if tuning.gguf == "none" else "model.gguf",
        losses=log.name,
    )
    if is_first_process():
        watch.say("writing the model")
        _write(model, tokenizer, tuning, base, folder)
        folder.write_json(_RESULT, tuned)
        shutil.rmtree(checkpoints, ignore_errors=True)
    return tuned


def _placed(tuned: Tuned, folder: JobFolder[Tuning]) -> Tuned:
    """Return a result whose files are named by whole paths; it is kept by their names alone."""
    names = {name: getattr(tuned, name) for name in ("model", "adapter", "gguf", "losses")}
    paths = {name: value and str(folder.path / value) for name, value in names.items()}
    return msgspec.structs.replace(tuned, **paths)


def _counts(model: Any) -> tuple[int, int]:
    """Return how many numbers are trained, and how many there are."""
    parameters = list(model.parameters())
    trained = sum(one.numel() for one in parameters if one.requires_grad)
    return trained, sum(one.numel() for one in parameters)


def _write(
    model: Any, tokenizer: Any, tuning: Tuning, base: Base, folder: JobFolder[Tuning]
) -> None:
    """Write adapter, merged model and GGUF file, each whole or not at all."""
    import torch

    if not tuning.full:
        with folder.replacing("adapter") as partial:
            model.save_pretrained(partial, save_embedding_layers=False)
        model = model.merge_and_unload()
    model.config.use_cache = True
    with folder.replacing("model") as partial:
        if tuning.dtype == "bf16":
            model = model.to(torch.bfloat16)
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
    if base.gguf is not None and tuning.gguf not in {None, "none"}:
        from asyncgen.finetune.gguf_file import write_gguf

        with folder.replacing("model.gguf") as partial:
            write_gguf(model, base.gguf, str(tuning.gguf), partial)
