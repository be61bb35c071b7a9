"""`asyncgen serve simulated`: a provider with limits and faults, for planning and tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asyncgen.cli.signals import ending

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated import SimulatedOptions

__all__ = ["simulated"]


def simulated(  # noqa: PLR0913 - each parameter is a flag
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    model: Annotated[str, typer.Option(help="Name in the list of models.")] = "simulated",
    seed: Annotated[int, typer.Option(help="Keys answers, latencies and faults.")] = 0,
    rpm: Annotated[float | None, typer.Option(help="Requests per minute.")] = None,
    tpm: Annotated[float | None, typer.Option(help="Tokens per minute, input and output.")] = None,
    itpm: Annotated[float | None, typer.Option(help="Input tokens per minute.")] = None,
    otpm: Annotated[float | None, typer.Option(help="Output tokens per minute.")] = None,
    rpd: Annotated[float | None, typer.Option(help="Requests per day.")] = None,
    burst: Annotated[float, typer.Option(help="Seconds' worth usable at once.")] = 1.0,
    taken: Annotated[float, typer.Option(help="Share of it that others use.")] = 0.0,
    concurrency: Annotated[
        int | None, typer.Option(help="Requests in flight beyond which it answers 429.")
    ] = None,
    charge: Annotated[
        Literal["used", "asked"],
        typer.Option(help="Tokens that count: those used, or input and max_tokens."),
    ] = "used",
    headers: Annotated[
        Literal["openai", "azure", "anthropic", "groq", "together", "none"],
        typer.Option(help="Whose rate-limit headers and errors."),
    ] = "openai",
    retry_after: Annotated[
        bool, typer.Option(help="Whether a 429 tells when to come again.")
    ] = True,
    pause: Annotated[
        float, typer.Option(help="What a 429 by chance or concurrency tells, s.")
    ] = 1.0,
    latency: Annotated[float, typer.Option(help="Seconds to the first byte.")] = 0.2,
    per_token: Annotated[float, typer.Option(help="Seconds for each token of an answer.")] = 0.0,
    spread: Annotated[
        Literal["fixed", "uniform", "lognormal"], typer.Option(help="How both vary.")
    ] = "fixed",
    width: Annotated[float, typer.Option(help="How widely: 0.25 is about a quarter.")] = 0.25,
    knee: Annotated[
        int | None, typer.Option(help="Requests computed side by side; more wait, without 429.")
    ] = None,
    faults: Annotated[
        str, typer.Option(metavar="NAME=SHARE,…", help="Faults by chance, such as 503=0.02.")
    ] = "",
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Faults by script: JSON, or TOML [[step]].")
    ] = None,
    slow: Annotated[float, typer.Option(help="Seconds that the fault 'slow' adds.")] = 5.0,
    answer_tokens: Annotated[
        int, typer.Option(help="Length of answers to prompts that are none of asyncgen's.")
    ] = 256,
    log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Append each request as a JSON line when it ends."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Serve a simulated provider until Ctrl-C, then print its verdict on the client.

    OpenAI-compatible (chat completions, completions, models) and Anthropic-compatible
    (messages). Answers follow from the request alone and suit a whole run of generate.

    Faults: 429, 429-bare (without Retry-After), slow_down, insufficient_quota, 500, 502, 503,
    504, 529, hang, reset, cut-body, not-json, error-200, empty, slow, stall. A script is a list
    such as [{"at": 10, "fault": "503", "count": 5}, {"nth": 200, "fault": "reset"}].

    While it runs: GET /simulated/verdict, GET or POST /simulated/limits {"rpm": 3000},
    POST /simulated/outage {"seconds": 20}.

    A line of --log holds the hash of a request's content, when it came and ended (Unix time),
    and its outcome; what was answered is what a provider bills.

    Example: asyncgen serve simulated --port 8000 --rpm 6000 --faults 429=0.02,hang=0.01
    """
    from asyncgen.endpoints.simulated import Allowance, Latency, SimulatedOptions
    from asyncgen.endpoints.simulated.options import check_options, read_faults
    from asyncgen.endpoints.simulated.script import read_script

    options = SimulatedOptions(
        host=host,
        port=port,
        model=model,
        seed=seed,
        family=headers,
        allowance=Allowance(
            rpm=rpm,
            tpm=tpm,
            itpm=itpm,
            otpm=otpm,
            rpd=rpd,
            burst=burst,
            taken=taken,
            concurrency=concurrency,
        ),
        charge=charge,
        retry_after=retry_after,
        pause=pause,
        latency=Latency(first=latency, per_token=per_token, spread=spread, width=width, knee=knee),
        faults=read_faults(faults),
        script=read_script(script) if script is not None else (),
        slow=slow,
        answer_tokens=answer_tokens,
        log=str(log) if log is not None else "",
    )
    check_options(options)
    _run(options, as_json=json)


def _run(options: SimulatedOptions, *, as_json: bool) -> None:
    import asyncio

    from asyncgen.endpoints.simulated.child import fastest_loop

    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        runner.run(_serve(options, as_json=as_json))


async def _serve(options: SimulatedOptions, *, as_json: bool) -> None:
    import anyio
    import msgspec

    from asyncgen.endpoints.simulated import simulated_here, verdict_text

    async with simulated_here(options) as provider:
        # A program that reads the verdict gets nothing else on standard output.
        typer.echo(
            f"serving '{options.model}' (simulated) at {provider.base_url}; Ctrl-C stops it",
            err=as_json,
        )
        with anyio.open_signal_receiver(*ending()) as signals:
            async for _ in signals:
                break
        verdict = provider.verdict()
    typer.echo(msgspec.json.encode(verdict).decode() if as_json else verdict_text(verdict))
