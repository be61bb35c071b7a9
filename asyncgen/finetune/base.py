"""The model that is finetuned: found, told from others, and loaded."""

from __future__ import annotations

import contextlib
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncgen.endpoints.embedded.hub import fetch_from_hub, fetch_repository
from asyncgen.endpoints.embedded.model import ModelSource, find_model, fingerprint
from asyncgen.errors import MissingExtraError, ModelFileError
from asyncgen.settings import EMBEDDED

if TYPE_CHECKING:
    from asyncgen.endpoints.embedded.download import Progress
    from asyncgen.finetune.tuning import Dtype

__all__ = ["Base", "check_extra", "find_base", "load_model", "load_tokenizer"]

_WEIGHTS = ("*.safetensors", "*.bin", "config.json", "adapter_config.json")


@dataclass(frozen=True, slots=True)
class Base:
    """A model as it lies on this machine.

    Attributes:
        folder: Where its files are.
        gguf: The GGUF file in it; ``None`` for the files that transformers writes.
        identity: Tells its weights from others.
    """

    folder: Path
    gguf: Path | None
    identity: str


def check_extra() -> None:
    """Refuse to go on without the libraries that train; importing them takes seconds.

    Raises:
        MissingExtraError: If one is not installed.
    """
    from importlib.util import find_spec

    if not all(map(find_spec, ("torch", "transformers", "peft", "accelerate", "gguf"))):
        raise MissingExtraError("asyncgen finetune local", "train")


def find_base(model: str, progress: Progress | None = None) -> Base:
    """Find a model, fetching it first if need be.

    Args:
        model: ``local`` for the embedded model, a GGUF file, a folder, or a name on the hub:
            ``OWNER/NAME``, or ``OWNER/NAME:FILE.gguf``.
        progress: Called with bytes done and bytes in all while the embedded model is fetched.

    Raises:
        ModelFileError: If there is no such model, or it cannot be fetched.
        MissingExtraError: If the hub is needed and huggingface_hub is not installed.
    """
    path = Path(model).expanduser()
    if model == EMBEDDED:
        return _of_gguf(find_model(progress=progress).path)
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_gguf(find_model(ModelSource(path)).path)
    if model.endswith(".gguf") and ":" in model:
        return _of_gguf(fetch_from_hub(model, "--model"))
    if model.count("/") != 1 or model.startswith((".", "~", "/")):
        raise ModelFileError(
            f"--model {model}: no such folder or GGUF file, and no OWNER/NAME of the hub; "
            "'local' is the embedded model"
        )
    return _of_folder(fetch_repository(model, "--model"))


def _of_gguf(path: Path) -> Base:
    return Base(path.parent, path, fingerprint(path))


def _of_folder(folder: Path) -> Base:
    if not (folder / "config.json").is_file():
        raise ModelFileError(f"{folder}: no model of transformers: config.json is missing")
    digest = hashlib.sha256()
    for pattern in _WEIGHTS:
        for path in sorted(folder.glob(pattern)):
            digest.update(f"{path.name} {fingerprint(path)} ".encode())
    return Base(folder, None, digest.hexdigest())


def load_tokenizer(base: Base) -> Any:
    """Return its tokenizer, of transformers.

    Raises:
        ModelFileError: If transformers cannot read it, or it has nothing that ends a text.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(base.folder), **_file(base))
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(base, "tokenizer", error) from error
    if tokenizer.eos_token_id is None:
        raise ModelFileError(f"{base.folder}: the tokenizer has no token that ends a text")
    return tokenizer


def load_model(base: Base, dtype: Dtype) -> Any:
    """Return the model, of transformers, its weights in a type.

    A GGUF file's weights become plain numbers: a quantised model cannot be trained.

    Raises:
        ModelFileError: If transformers cannot read it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    kind = torch.bfloat16 if dtype == "bf16" else torch.float32
    try:
        # Of a GGUF file it would draw a bar, whatever it is told.
        with contextlib.redirect_stderr(io.StringIO()) if base.gguf else contextlib.nullcontext():
            model: Any = AutoModelForCausalLM.from_pretrained(
                str(base.folder), dtype=kind, **_file(base)
            )
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        raise _unreadable(base, "model", error) from error
    if base.gguf is not None:
        # They are plain numbers now; with these marks it would neither be trained nor saved.
        model.is_quantized = False
        del model.hf_quantizer, model.quantization_method, model.config.quantization_config
        # A folder that transformers cannot read again would be looked up on the hub.
        model.name_or_path = model.config.name_or_path = ""
    # Where answers are cached, the examples of one sequence are not told apart.
    model.config.use_cache = False
    return model


def _file(base: Base) -> dict[str, Any]:
    return {} if base.gguf is None else {"gguf_file": base.gguf.name}


def _unreadable(base: Base, what: str, error: Exception) -> ModelFileError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ModelFileError(f"{base.gguf or base.folder}: no {what} that can be trained: {reason}")
