"""``generate`` against a server that is not ours: llama.cpp's own, from xllamacpp's wheel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import asyncgen

from asyncgen.endpoints.embedded import find_model
from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """
model = "any"
api = "completions"
tasks_per_request = 2
max_instances = 1
few_shot = 1
look_ahead = 1
[generation]
max_output_tokens = 64
temperature = 0.7
[instances]
max_output_tokens = 40
temperature = 0.0
"""


@pytest.fixture
def llamacpp_url() -> Iterator[str]:
    pytest.importorskip("xllamacpp")
    try:
        model = find_model()
    except ModelFileError as error:
        pytest.skip(f"the embedded model cannot be had: {error}")
    script = Path(__file__).parents[1] / "support" / "llamacpp.py"
    with subprocess.Popen(
        [sys.executable, str(script), str(model.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.timeout(600)  # the wheel's llama.cpp reads a prompt at some tens of tokens a second
def test_generate_works_against_llama_cpp(llamacpp_url: str, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(CONFIG)
    flags = ["--endpoint", llamacpp_url, "--target", "1", "--max-in-flight", "1"]
    done = asyncgen("generate", tmp_path / "run", "--config", config, *flags)

    assert done.returncode == 0, done.stderr
    tasks = [
        json.loads(line) for line in (tmp_path / "run/dataset.jsonl").read_bytes().splitlines()
    ]
    assert len(tasks) == 1
    assert all(task["instances"] for task in tasks)
