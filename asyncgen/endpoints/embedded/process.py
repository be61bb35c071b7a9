"""The embedded server as a child process: started, watched and stopped by its parent."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncgen.endpoints.embedded.child import Assignment
from asyncgen.endpoints.owned_process import first_report, log_tail, owned_process
from asyncgen.errors import LocalServerError, MissingExtraError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from anyio.abc import Process

    from asyncgen.endpoints.embedded.model import ModelFile
    from asyncgen.endpoints.embedded.options import ServerOptions

__all__ = ["EmbeddedServer", "embedded_server"]

_READY_TIMEOUT = 180.0  # seconds; a large model on a slow disk takes its time


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A server that is ready.

    Attributes:
        base_url: What to give an OpenAI client, e.g. `http://127.0.0.1:40123/v1`.
        model: What requests call the model.
        runtime: `openvino` or `llamacpp`.
        log_path: Where the server's messages go.
    """

    base_url: str
    model: str
    runtime: str
    log_path: Path
    _process: Process

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit status if the server died (negative: killed by that signal)."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait until the server dies; return its exit status."""
        return await self._process.wait()

    def death(self) -> LocalServerError:
        """Return the error that says how the server died, with the end of its log."""
        return _death_error(self.poll(), self.log_path)


@asynccontextmanager
async def embedded_server(
    model: ModelFile,
    options: ServerOptions,
    log_path: Path,
    *,
    ready_timeout: float = _READY_TIMEOUT,
) -> AsyncGenerator[EmbeddedServer]:
    """Serve a model in a child process for as long as the block runs.

    The child ignores Ctrl-C, and dies with its parent however that dies.

    Args:
        model: What to serve.
        options: How to serve it.
        log_path: File to which the server's messages are appended.
        ready_timeout: Seconds to wait for the server to become ready.

    Raises:
        ModelFileError: No runtime can open the model.
        MissingExtraError: No runtime is installed.
        LocalServerError: The server died or was not ready in time.
    """
    argument = Assignment(model.path, model.name, options).to_json()
    async with owned_process("asyncgen.endpoints.embedded", argument, log_path) as process:
        report = await _ready_report(process, log_path, ready_timeout)
        host = f"[{options.host}]" if ":" in options.host else options.host
        yield EmbeddedServer(
            base_url=f"http://{host}:{report['port']}/v1",
            model=model.name,
            runtime=report["runtime"],
            log_path=log_path,
            _process=process,
        )


async def _ready_report(process: Process, log_path: Path, seconds: float) -> dict[str, Any]:
    """Return the child's report that it is ready; raise what it reports instead."""
    try:
        report = await first_report(process, seconds)
    except TimeoutError as error:
        raise LocalServerError(
            f"the embedded server was not ready after {seconds:g} s: {log_tail(log_path)}"
        ) from error
    if report is None:
        raise _death_error(process.returncode, log_path)
    if "error" in report:
        raise _reported_error(report["kind"], report["error"])
    return report


def _reported_error(kind: str, message: str) -> Exception:
    match kind:
        case "ModelFileError":
            return ModelFileError(message)
        case "MissingExtraError":
            return MissingExtraError("the embedded model", "local")
        case _:
            return LocalServerError(message)


def _death_error(status: int | None, log_path: Path) -> LocalServerError:
    if status is None:
        how = "does not answer"
    else:
        how = f"was killed by signal {-status}" if status < 0 else f"died with exit status {status}"
    return LocalServerError(f"the embedded server {how}: {log_tail(log_path)}")
