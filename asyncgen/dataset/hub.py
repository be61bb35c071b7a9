"""Pushing a folder to the Hugging Face hub (extra ``hub``)."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from asyncgen.errors import ExportError, MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Hub"]

_ENDPOINT = "HF_ENDPOINT"
_TOKEN = "HF_TOKEN"  # noqa: S105 - the name of a variable


class Hub:
    """The hub, or another at ``HF_ENDPOINT``, with the token in ``HF_TOKEN``.

    Made before the work begins, so that what is missing is said at once.

    Raises:
        MissingExtraError: If huggingface_hub is not installed.
        ExportError: If there is no token.
    """

    def __init__(self) -> None:
        try:
            library: Any = importlib.import_module("huggingface_hub")
            # The HTTP client's root exception; the client itself differs between versions.
            self._failure = importlib.import_module("huggingface_hub.errors").HTTPError
        except ImportError as error:
            raise MissingExtraError("--push", "hub") from error
        token = os.environ.get(_TOKEN, "").strip()
        if not token:
            raise ExportError(f"--push needs a token that may write, in {_TOKEN}")
        endpoint = os.environ.get(_ENDPOINT, "").rstrip("/") or None
        self._api = library.HfApi(endpoint=endpoint, token=token, library_name="asyncgen")

    def push(self, folder: Path, repository: str, *, private: bool) -> str:
        """Upload a folder as a dataset, in one commit, and return its address.

        The repository is made if it does not exist; one that does stays as public as it is.

        Raises:
            ExportError: If the hub cannot be reached, or refuses.
        """
        try:
            made = self._api.create_repo(
                repository, repo_type="dataset", private=private, exist_ok=True
            )
            self._api.upload_folder(
                repo_id=made.repo_id,
                folder_path=folder,
                repo_type="dataset",
                commit_message="Export by asyncgen",
                # Of an earlier export with other splits.
                delete_patterns=["data/*.parquet"],
            )
        # The hub's own errors are OSErrors (answers) or ValueErrors (names).
        except (OSError, ValueError, self._failure) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ExportError(
                f"--push {repository}: {reason}; the folder {folder} is complete"
            ) from error
        return str(made)
