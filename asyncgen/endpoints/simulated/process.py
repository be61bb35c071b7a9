"""The simulated provider as a child process: started, asked and stopped by its parent."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from asyncgen.endpoints.owned_process import first_report, log_tail, owned_process
from asyncgen.endpoints.simulated.options import check_options
from asyncgen.endpoints.simulated.server import base_url_of
from asyncgen.endpoints.simulated.verdict import Verdict
from asyncgen.errors import LocalServerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from anyio.abc import Process

    from asyncgen.endpoints.simulated.options import Outage, SimulatedOptions

__all__ = ["SimulatedServer", "simulated_server"]

_READY_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class SimulatedServer:
    """A provider that is serving from a child process.

    Attributes:
        base_url: What to give an OpenAI client; Anthropic ones take it without ``/v1``.
        log_path: Where its messages go.
    """

    base_url: str
    log_path: Path
    _process: Process

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    async def verdict(self) -> Verdict:
        """Return what the provider thinks of its client so far.

        Raises:
            LocalServerError: If it has died.
        """
        return msgspec.json.decode(await self._ask("verdict"), type=Verdict)

    async def change_limits(self, **changes: float | None) -> None:
        """Change some limits, by the names of :class:`Allowance`; ``None`` lifts one.

        Raises:
            LocalServerError: If one of them is none, or the provider has died.
        """
        await self._ask("limits", changes)

    async def start_outage(self, seconds: float, kind: Outage = "503") -> None:
        """Fail every request for some time from now on.

        Raises:
            LocalServerError: If the provider has died.
        """
        await self._ask("outage", {"seconds": seconds, "kind": kind})

    async def _ask(self, what: str, content: dict[str, Any] | None = None) -> bytes:
        import aiohttp

        url = f"{self.base_url.removesuffix('/v1')}/simulated/{what}"
        method = "GET" if content is None else "POST"
        data = None if content is None else orjson.dumps(content)
        try:
            async with aiohttp.request(method, url, data=data) as answer:
                body = await answer.read()
        except aiohttp.ClientError as error:
            raise _death(self._process.returncode, self.log_path) from error
        if answer.status != 200:
            raise LocalServerError(orjson.loads(body)["error"]["message"])
        return body


@asynccontextmanager
async def simulated_server(
    options: SimulatedOptions, log_path: Path
) -> AsyncGenerator[SimulatedServer]:
    """Serve in a child process for as long as the block runs.

    The child ignores Ctrl-C, and dies with its parent however that dies.

    Args:
        options: How it behaves.
        log_path: File to which its messages are appended.

    Raises:
        SettingsError: If the options contradict themselves.
        LocalServerError: If the address cannot be listened on, or the child dies.
    """
    check_options(options)
    argument = msgspec.json.encode(options).decode()
    async with owned_process("asyncgen.endpoints.simulated", argument, log_path) as process:
        port = await _port(process, log_path)
        yield SimulatedServer(base_url_of(options.host, port), log_path, process)


async def _port(process: Process, log_path: Path) -> int:
    """Return the port that the child reports once it is ready; raise what it reports instead."""
    try:
        report = await first_report(process, _READY_TIMEOUT)
    except TimeoutError as error:
        raise LocalServerError(
            f"the simulated provider was not ready after {_READY_TIMEOUT:g} s"
        ) from error
    if report is None:
        raise _death(process.returncode, log_path)
    if "error" in report:
        raise LocalServerError(report["error"])
    return int(report["port"])


def _death(status: int | None, log_path: Path) -> LocalServerError:
    how = "does not answer" if status is None else f"died with exit status {status}"
    return LocalServerError(f"the simulated provider {how}: {log_tail(log_path)}")
