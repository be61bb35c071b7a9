"""The small model, made once; and torch on one thread, so that colleagues cannot stall it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("peft", reason="the extra 'train' is not installed")

from finetune.material import ROWS, tiny_gguf, tiny_model, write_rows

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Generator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a tiny Llama."""
    return tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def gguf_model(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a GGUF file."""
    return tiny_gguf(model, tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of eleven examples."""
    return write_rows(tmp_path_factory.mktemp("data") / "rows.jsonl", ROWS)
