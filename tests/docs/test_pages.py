"""Every command that the documentation shows runs, and says what is shown.

Nothing but addresses, and the token for the hub, is another: what stands for a hosted service or
somebody's server is the simulated provider here, and the hub a local one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dataset.hub import TOKEN, LocalHub
from docs.pages import Command, File, matches, steps
from support.command import environment, start

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
ADDRESSES = (
    "https://api.openai.com/v1",
    "https://api.anthropic.com/v1",
    "http://127.0.0.1:8000/v1",
    "http://127.0.0.1:11434/v1",
    "http://127.0.0.1:8080/v1",
)
ELSEWHERE = ("make demo", "pip install .")
"""What the tutorial's first command does, and what made the environment that tests run in."""
SCRIPT = """
exec 2>&1
set -o pipefail
{commands}
"""
MARK = "\x1e"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Return the address of a provider that answers at once."""
    with start("serve", "simulated", "--port", "0", "--latency", "0") as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        yield next(word for word in said.split() if word.startswith("http")).rstrip(";")
        process.terminate()


def script(page: Path, folder: Path, provider: str) -> tuple[str, list[Command]]:
    """Write the files of a page and return its commands as one script that marks their ends."""
    lines: list[str] = []
    commands: list[Command] = []
    for step in steps(page):
        if isinstance(step, File):
            (folder / step.name).write_text(local(step.content, provider), "utf-8")
        elif not step.text.startswith(ELSEWHERE):
            commands.append(step)
            lines.append(f"{local(step.text, provider)}\nprintf '{MARK}%d{MARK}' $?")
    return SCRIPT.format(commands="\n".join(lines)), commands


def local(text: str, provider: str) -> str:
    if text.startswith("asyncgen estimate") and "--probe" not in text:
        # It sends nothing, and knows prices by the address.
        return text
    text = text.replace("HF_TOKEN=hf_...", f"HF_TOKEN={TOKEN}")
    for address in ADDRESSES:
        text = text.replace(address, provider)
    return text


@pytest.mark.timeout(600)
@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_runs_and_says_what_is_shown(
    page: Path, tmp_path: Path, provider: str
) -> None:
    text, commands = script(page, tmp_path, provider)
    with LocalHub() as hub:
        done = subprocess.run(
            ["bash", "-c", text],  # noqa: S607 - whichever the reader has
            cwd=tmp_path,
            env=environment(
                HF_ENDPOINT=hub.url, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
    said = done.stdout.decode().split(MARK)[:-1]
    assert len(said) == 2 * len(commands), done.stdout.decode()[-2000:]
    wrong = [
        f"{page.name}:{command.line}: $ {command.text}\nexit code {code}\n{output}"
        for command, output, code in zip(commands, said[::2], said[1::2], strict=True)
        if code != command.code or (command.output and not matches(command.output, output))
    ]
    assert not wrong, "\n".join(wrong)


def test_output_is_compared_but_for_what_is_left_out() -> None:
    assert matches("a … c\n", "a  b\nb c")
    assert matches("…", "")
    assert not matches("a … c", "a b d")
    assert not matches("20 lines", "21 lines")
