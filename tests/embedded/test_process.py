"""The child process: it lives as long as its parent wants it, and its death is seen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import anyio
import psutil
import pytest
from embedded.client import call, complete

from asyncgen.endpoints.embedded import ModelFile, ServerOptions, embedded_server
from asyncgen.endpoints.embedded.gguf import read_header
from asyncgen.errors import LocalServerError, ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.endpoints.embedded import EmbeddedServer

# The quickest to start.
QUICK = ServerOptions(runtime="llamacpp", slots=2)


def _gone(pid: int, within: float) -> bool:
    """Tell whether the process ends within so many seconds."""
    try:
        psutil.Process(pid).wait(within)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_child_dies_when_its_parent_is_killed(model: ModelFile, tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        import anyio
        from asyncgen.endpoints.embedded import ModelFile, ServerOptions, embedded_server

        async def main():
            model = ModelFile(Path(sys.argv[1]), "m")
            options = ServerOptions(runtime="llamacpp", slots=2)
            async with embedded_server(model, options, Path(sys.argv[2])) as server:
                print(server.pid, flush=True)
                await anyio.sleep_forever()

        anyio.run(main)
    """)
    command = [sys.executable, "-c", program, str(model.path), str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()

    assert _gone(pid, within=5)


def test_child_ignores_the_terminals_interrupt(llamacpp: EmbeddedServer) -> None:
    os.kill(llamacpp.pid, signal.SIGINT)

    assert complete(llamacpp.base_url, "Hello", max_tokens=1)
    assert os.getsid(llamacpp.pid) != os.getsid(0)


def test_death_in_mid_run_is_seen(model: ModelFile, tmp_path: Path) -> None:
    async def main() -> None:
        async with embedded_server(model, QUICK, tmp_path / "log") as server:
            assert server.poll() is None
            os.kill(server.pid, signal.SIGKILL)
            with anyio.fail_after(5):
                assert await server.wait() == -signal.SIGKILL
            assert "killed by signal 9" in str(server.death())
            assert str(tmp_path / "log") in str(server.death())

    anyio.run(main)


@pytest.mark.parametrize("after", [0.3, 4.0], ids=["while loading", "while serving"])
def test_cancellation_stops_the_child(model: ModelFile, tmp_path: Path, after: float) -> None:
    async def main() -> None:
        with anyio.move_on_after(after):
            async with embedded_server(model, QUICK, tmp_path / "log"):
                await anyio.sleep_forever()

    before = set(psutil.Process().children())
    started = time.monotonic()
    anyio.run(main)

    assert set(psutil.Process().children()) <= before
    assert time.monotonic() - started < after + 5


def test_taken_port_is_an_error(model: ModelFile, tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with embedded_server(model, ServerOptions(port=port), tmp_path / "log"):
            pytest.fail("two servers on one port")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalServerError, match=f"127.0.0.1:{port}: Address already in use"):
            anyio.run(main, port)


def test_not_ready_in_time_is_an_error(model: ModelFile, tmp_path: Path) -> None:
    async def main() -> None:
        async with embedded_server(model, QUICK, tmp_path / "log", ready_timeout=0.2):
            pytest.fail("ready in no time")

    with pytest.raises(LocalServerError, match=r"not ready after 0\.2 s"):
        anyio.run(main)


def _sized(text: bytes) -> bytes:
    return len(text).to_bytes(8, "little") + text


def _with_architecture(model: ModelFile, name: str, target: Path) -> ModelFile:
    """Copy the model under the name of another family, its weights unchanged."""
    header = read_header(model.path)
    content = model.path.read_bytes()
    metadata = content[: header.metadata_end]
    keys = [key for key in header.metadata if key.startswith("llama.")]
    renamed = {key.encode(): key.replace("llama", name, 1).encode() for key in keys}
    for old, new in {b"llama": name.encode(), **renamed}.items():
        metadata = metadata.replace(_sized(old), _sized(new))
    records_end = header.metadata_end + sum(
        8 + len(t.name.encode()) + 4 + 8 * len(t.shape) + 12 for t in header.tensors
    )
    head = metadata + content[header.metadata_end : records_end]
    head += bytes(-len(head) % header.alignment)
    target.write_bytes(head + content[header.data_start :])
    return ModelFile(target, name)


def test_family_unknown_to_openvino_goes_to_llamacpp(model: ModelFile, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    other = _with_architecture(model, "smollm3", tmp_path / "other.gguf")

    async def main() -> None:
        async with embedded_server(other, ServerOptions(slots=2), tmp_path / "log") as server:
            assert server.runtime == "llamacpp"
            url = f"{server.base_url}/completions"
            body = {"prompt": "Hello", "max_tokens": 2, "model": "smollm3"}
            status, _ = await anyio.to_thread.run_sync(call, url, body)
            assert status == 200

    anyio.run(main)


def test_family_unknown_to_both_is_an_error(model: ModelFile, tmp_path: Path) -> None:
    other = _with_architecture(model, "nonesuch", tmp_path / "other.gguf")

    async def main() -> None:
        async with embedded_server(other, ServerOptions(), tmp_path / "log"):
            pytest.fail("nobody knows this family")

    with pytest.raises(ModelFileError, match=r"other\.gguf: llama\.cpp cannot open"):
        anyio.run(main)
