"""The commands in this process, and the kernels that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from asyncgen.cli.app import run
from asyncgen_kernels import warm_up

if TYPE_CHECKING:
    from pathlib import Path

    from cli.material import Dedup


@pytest.fixture(scope="session")
def warm() -> None:
    """Compile before a test: the command would say that it does, and no test expects that."""
    warm_up()


@pytest.fixture
def dedup(warm: None, capsys: pytest.CaptureFixture[str]) -> Dedup:
    """Return the command in this process, as a function to exit code, output and errors."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["dedup", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command
