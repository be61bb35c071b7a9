"""The server's own process: bind, load, serve, and go when the parent goes.

It reports on its standard output, in one JSON line, that it is ready (`port`, `runtime`) or
why it is not (`error`, `kind`).  Everything else that is printed goes to standard error,
which the parent keeps in a log file.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from asyncgen.endpoints.embedded.gguf import read_header
from asyncgen.endpoints.embedded.model import cache_folder
from asyncgen.endpoints.embedded.options import ServerOptions
from asyncgen.endpoints.owned_process import live_with_parent, send_report
from asyncgen.errors import AsyncgenError, LocalServerError, MissingExtraError, ModelFileError

if TYPE_CHECKING:
    from asyncgen.endpoints.embedded.generation import Runtime

__all__ = ["Assignment", "main"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the parent tells the child.

    Attributes:
        path: The GGUF file.
        name: What requests call the model.
        options: How to serve it.
    """

    path: Path
    name: str
    options: ServerOptions

    def to_json(self) -> str:
        """Return the value as the child's argument."""
        return orjson.dumps({
            "path": str(self.path), "name": self.name, "options": asdict(self.options)
        }).decode()  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> Assignment:
        """Return the value from the child's argument."""
        content = orjson.loads(text)
        return cls(Path(content["path"]), content["name"], ServerOptions(**content["options"]))


def main() -> None:
    """Serve until the parent goes or SIGTERM comes."""
    live_with_parent()
    report = _claim_stdout()
    try:
        assignment = Assignment.from_json(sys.argv[1])
        with _bind(assignment.options) as listener:
            runtime, runtime_name = _load(assignment)
            asyncio.run(_serve(runtime, assignment.name, listener, (report, runtime_name)))
    except AsyncgenError as error:
        send_report({"error": str(error), "kind": type(error).__name__}, report)
        # Not sys.exit: the runtimes' threads are still there.
        os._exit(1)


def _claim_stdout() -> int:
    """Keep standard output for the report; native libraries print to the log instead."""
    report = os.dup(1)
    os.dup2(2, 1)
    return report


def _bind(options: ServerOptions) -> socket.socket:
    """Bind before the model is loaded: a taken port should not cost seconds."""
    try:
        family = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
    except OSError as error:
        raise LocalServerError(
            f"cannot listen on {options.host}:{options.port}: {error.strerror}"
        ) from error
    return listener


def _load(assignment: Assignment) -> tuple[Runtime, str]:
    """Load the model into the runtime asked for, or the first that can open it."""
    from asyncgen.endpoints.embedded.llamacpp_runtime import load_llamacpp
    from asyncgen.endpoints.embedded.openvino_runtime import load_openvino
    from asyncgen.endpoints.embedded.requantize import lossless_for_openvino

    path, options = assignment.path, assignment.options
    header = read_header(path)
    if options.runtime != "llamacpp":
        try:
            lossless = lossless_for_openvino(path, header, cache_folder() / "converted")
            context_length = header.number("context_length", 2048)
            return load_openvino(lossless, context_length, options), "openvino"
        except (ModelFileError, MissingExtraError) as error:
            if options.runtime == "openvino":
                raise
            print(f"{error}; trying llama.cpp", file=sys.stderr)  # noqa: T201 - the log
    return load_llamacpp(path, header, options), "llamacpp"


async def _serve(
    runtime: Runtime, name: str, listener: socket.socket, report: tuple[int, str]
) -> None:
    from aiohttp import web

    from asyncgen.endpoints.embedded.server import create_app

    # A client that hangs up cancels its handler, and with it the generation.
    runner = web.AppRunner(create_app(runtime, name), handler_cancellation=True, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener, backlog=1024).start()
    channel, runtime_name = report
    send_report({"port": listener.getsockname()[1], "runtime": runtime_name}, channel)
    # SIGTERM ends the process the plain way: there is no state to save.
    await asyncio.Event().wait()
