"""Fetch a model from the Hugging Face hub, into the hub's own cache."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asyncgen.errors import MissingExtraError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["fetch_from_hub", "fetch_repository"]

_OF_TRANSFORMERS = ["*.json", "*.jinja", "*.model", "*.safetensors", "*.txt"]


def fetch_from_hub(reference: str, flag: str = "--hub") -> Path:
    """Download `OWNER/NAME:FILE.gguf`, or the only GGUF of `OWNER/NAME`, and return its path.

    Args:
        reference: What to download.
        flag: What a person named it with.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        ModelFileError: No such repository or file, several files to choose from, no network.
    """
    repository, _, file_name = reference.partition(":")
    with _fetching(reference, flag):
        import huggingface_hub

        chosen = file_name or _only_gguf(repository, flag)
        return Path(huggingface_hub.hf_hub_download(repository, chosen))


def fetch_repository(name: str, flag: str) -> Path:
    """Download what transformers needs of `OWNER/NAME`, and return its folder.

    Args:
        name: Of the repository.
        flag: What a person named it with.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        ModelFileError: No such repository, no network.
    """
    with _fetching(name, flag):
        import huggingface_hub

        return Path(huggingface_hub.snapshot_download(name, allow_patterns=_OF_TRANSFORMERS))


@contextmanager
def _fetching(reference: str, flag: str) -> Generator[None]:
    """Put the hub's errors in our words."""
    try:
        # The HTTP client's root exception; the client itself differs between versions.
        http_error: type[Exception] = importlib.import_module("huggingface_hub.errors").HTTPError
    except ImportError as error:
        raise MissingExtraError(flag, "hub") from error
    try:
        yield
    # The hub's own errors are OSErrors (answers, missing entries) or ValueErrors (names).
    except (OSError, ValueError, http_error) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelFileError(f"{flag} {reference}: cannot be fetched: {reason}") from error


def _only_gguf(repository: str, flag: str) -> str:
    import huggingface_hub

    files = [f for f in huggingface_hub.list_repo_files(repository) if f.endswith(".gguf")]
    if len(files) == 1:
        return files[0]
    if not files:
        raise ModelFileError(f"{flag} {repository}: no GGUF file in this repository")
    raise ModelFileError(
        f"{flag} {repository}: {len(files)} GGUF files, choose one as {repository}:FILE of "
        f"{', '.join(sorted(files)[:12])}"
    )
