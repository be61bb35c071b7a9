"""Fetch a GGUF file from the Hugging Face hub, into the hub's own cache."""

from __future__ import annotations

import importlib
from pathlib import Path

from asyncgen.errors import MissingExtraError, ModelFileError

__all__ = ["fetch_from_hub"]


def fetch_from_hub(reference: str) -> Path:
    """Download `OWNER/NAME:FILE.gguf`, or the only GGUF of `OWNER/NAME`, and return its path.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        ModelFileError: No such repository or file, several files to choose from, no network.
    """
    try:
        import huggingface_hub

        # The HTTP client's root exception; the client itself differs between versions.
        http_error: type[Exception] = importlib.import_module("huggingface_hub.errors").HTTPError
    except ImportError as error:
        raise MissingExtraError("--hub", "hub") from error
    repository, _, file_name = reference.partition(":")
    try:
        chosen = file_name or _only_gguf(repository)
        return Path(huggingface_hub.hf_hub_download(repository, chosen))
    # The hub's own errors are OSErrors (answers, missing entries) or ValueErrors (names).
    except (OSError, ValueError, http_error) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelFileError(f"--hub {reference}: cannot be fetched: {reason}") from error


def _only_gguf(repository: str) -> str:
    import huggingface_hub

    files = [f for f in huggingface_hub.list_repo_files(repository) if f.endswith(".gguf")]
    if len(files) == 1:
        return files[0]
    if not files:
        raise ModelFileError(f"--hub {repository}: no GGUF file in this repository")
    raise ModelFileError(
        f"--hub {repository}: {len(files)} GGUF files, choose one as {repository}:FILE of "
        f"{', '.join(sorted(files)[:12])}"
    )
