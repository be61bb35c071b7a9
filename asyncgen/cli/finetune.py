"""``asyncgen finetune``: a model trained on a run's dataset, here or by a service."""

from __future__ import annotations

import shlex
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asyncgen.cli.signals import ending
from asyncgen.errors import RunPausedError

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType

    from asyncgen.finetune.hosting import Hosted
    from asyncgen.finetune.tuning import Tuned

__all__ = ["finetune_app"]

finetune_app = typer.Typer(
    help="Finetune a model on a run's dataset, on this machine or by a service.",
    no_args_is_help=True,
)

_DATA = "A run folder, or a file of asyncgen export: prompt-completion, chat or openai."
_MODEL = (
    "A folder, a GGUF file, OWNER/NAME or OWNER/NAME:FILE.gguf on the hub, or 'local' for the "
    "embedded model."
)
_OUT = "Folder for all that comes of it; the same command on it goes on where it stopped."
_FORMAT = "The paper's templates (default for a run), or the model's own chat template."
_RATE = "At its height, falling to 0 in a line; default 2e-4, or 2e-5 with --full."
_DTYPE = "What to compute in; default: bf16 on a GPU that knows it, else fp32."
_GGUF = "Weights of the GGUF file; default: q8_0 if the model was a GGUF file, else none."


@finetune_app.command()
def local(  # noqa: PLR0913 - each parameter is a flag
    data: Annotated[Path, typer.Argument(help=_DATA)],
    *,
    model: Annotated[str, typer.Option(help=_MODEL)],
    out: Annotated[Path, typer.Option(help=_OUT)],
    form: Annotated[
        Literal["prompt-completion", "chat"] | None, typer.Option("--format", help=_FORMAT)
    ] = None,
    include_seeds: Annotated[
        bool, typer.Option("--include-seeds", help="Learn the run's seed tasks too.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Train all weights, instead of a LoRA adapter.")
    ] = False,
    rank: Annotated[int, typer.Option(help="Of the adapter.")] = 8,
    epochs: Annotated[float, typer.Option(help="How often each example is seen.")] = 2.0,
    steps: Annotated[
        int | None, typer.Option(help="Updates of the weights, instead of --epochs.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Sequences computed at a time.")] = 4,
    accumulate: Annotated[int, typer.Option(help="Batches to an update.")] = 4,
    length: Annotated[
        int, typer.Option(help="Tokens of a sequence; longer examples are left out.")
    ] = 1024,
    learning_rate: Annotated[float | None, typer.Option(help=_RATE)] = None,
    packing: Annotated[
        bool, typer.Option("--packing", help="Put several examples into a sequence.")
    ] = False,
    dtype: Annotated[Literal["fp32", "bf16"] | None, typer.Option(help=_DTYPE)] = None,
    seed: Annotated[int, typer.Option(help="Keys every random choice.")] = 42,
    gguf: Annotated[Literal["q8_0", "f16", "none"] | None, typer.Option(help=_GGUF)] = None,
    save_every: Annotated[float, typer.Option(help="Seconds between checkpoints.")] = 120.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> int:
    """Finetune a model on this machine: CPU, one GPU, or several with accelerate launch.

    The loss is on completions only. A killed training goes on from its last checkpoint.

    Example: asyncgen finetune local runs/demo --model local --out runs/demo-tuned
    """
    from asyncgen.cli.summary import as_json_line
    from asyncgen.cli.tuning_display import TuningDisplay
    from asyncgen.finetune.local import tune
    from asyncgen.finetune.processes import is_first_process
    from asyncgen.finetune.tuning import Tuning

    tuning = Tuning(
        data=str(data),
        model=model,
        out=str(out),
        form=form,
        include_seeds=include_seeds,
        full=full,
        rank=rank,
        epochs=epochs,
        steps=steps,
        batch=batch,
        accumulate=accumulate,
        length=length,
        learning_rate=learning_rate,
        packing=packing,
        dtype=dtype,
        seed=seed,
        gguf=gguf,
        save_every=save_every,
    )
    with _interruptible() as received, TuningDisplay(received) as display:
        try:
            tuned = tune(tuning, display)
        except RunPausedError as error:
            _say(f"{error}; nothing is lost, resume with: {_again()}")
            return 128 + received[0]
    if is_first_process():
        typer.echo(as_json_line(_outcome(tuned)) if as_json else _in_words(tuned))
    return 0


@contextmanager
def _interruptible() -> Generator[list[int]]:
    """Collect the first signal that asks to end; the second ends at once."""
    received: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        received.append(number)
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, on_signal) for number in ending()}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@finetune_app.command()
def openai(  # noqa: PLR0913 - each parameter is a flag
    data: Annotated[Path, typer.Argument(help=_DATA)],
    *,
    model: Annotated[str, typer.Option(help="The base model, as the service calls it.")],
    out: Annotated[Path, typer.Option(help=_OUT)],
    base_url: Annotated[str, typer.Option(help="Of the service.")] = "https://api.openai.com/v1",
    api_key_env: Annotated[
        str, typer.Option(help="Environment variable that holds the key.")
    ] = "OPENAI_API_KEY",
    epochs: Annotated[
        int, typer.Option(help="How often each example is seen; 0: as the service thinks best.")
    ] = 2,
    seed: Annotated[int, typer.Option(help="Of the service's random choices.")] = 42,
    suffix: Annotated[str, typer.Option(help="Goes into the new model's name.")] = "",
    system: Annotated[str, typer.Option(help="What the system says first, for a run.")] = "",
    include_seeds: Annotated[
        bool, typer.Option("--include-seeds", help="Learn the run's seed tasks too.")
    ] = False,
    token_limit: Annotated[
        int, typer.Option(help="Tokens that an example may have; 16385 for gpt-3.5-turbo.")
    ] = 65_536,
    poll: Annotated[float, typer.Option(help="Seconds between two looks at the job.")] = 10.0,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="End the job that this folder holds.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> int:
    """Have OpenAI, or a service with its interface, finetune a model.

    It costs what the service takes for it. A folder has one job, however often
    this is interrupted; the same command goes on following it.

    Example: asyncgen finetune openai runs/first --model gpt-4o-mini-2024-07-18 --out runs/tuned
    """
    from asyncgen.cli.summary import as_json_line
    from asyncgen.finetune.hosted import tune_hosted
    from asyncgen.finetune.hosting import Hosting

    hosting = Hosting(
        data=str(data),
        model=model,
        out=str(out),
        base_url=base_url,
        api_key_env=api_key_env,
        epochs=epochs,
        seed=seed,
        suffix=suffix,
        system=system,
        include_seeds=include_seeds,
        token_limit=token_limit,
        poll=poll,
    )
    with _as_ctrl_c() as received:
        try:
            hosted = tune_hosted(hosting, _say, cancel=cancel)
        except KeyboardInterrupt:
            _say(f"a job goes on at the service; follow it with: {_again()}")
            return 128 + (received[0] if received else signal.SIGINT)
        except RunPausedError as error:
            _say(f"stopped early: {error}; go on with: {_again()}")
            return error.exit_code
    if as_json:
        typer.echo(as_json_line(_outcome(hosted)))
        return 0
    for rule, count in hosted.dropped.items():
        _say(f"left out: {count:,} examples ({rule})")
    typer.echo(hosted.model)
    return 0


def _say(message: str) -> None:
    from asyncgen.cli.listeners import heard_or_not

    with heard_or_not():
        typer.echo(f"asyncgen: {message}", err=True)


def _again() -> str:
    return shlex.join(["asyncgen", *sys.argv[1:]])


@contextmanager
def _as_ctrl_c() -> Generator[list[int]]:
    """Let every signal that asks to end do what Ctrl-C does; collect those that came."""
    received: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        received.append(number)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # what a script starts with "&"
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    others = [number for number in ending() if number != signal.SIGINT]
    before = {number: signal.signal(number, on_signal) for number in others}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _outcome(tuned: Tuned | Hosted) -> dict[str, object]:
    import msgspec

    return {"outcome": "done", **msgspec.structs.asdict(tuned)}


def _in_words(tuned: Tuned) -> str:
    trained, of = tuned.trained
    lines = [
        (
            f"{tuned.steps:,} steps on {tuned.examples:,} examples ({tuned.tokens:,} tokens "
            f"learned); {trained:,} of {of:,} weights trained"
        ),
        f"loss {tuned.first_loss:.3f} → {tuned.last_loss:.3f} (first and last tenth)",
    ]
    if tuned.too_long:
        lines.append(f"left out: {tuned.too_long:,} examples that are longer than --length")
    lines.append(f"  model    {tuned.model}")
    lines += [f"  adapter  {tuned.adapter}"] if tuned.adapter else []
    if tuned.gguf:
        lines.append(f"  GGUF     {tuned.gguf}")
        lines.append(f"try it: asyncgen serve local --model-path {shlex.quote(tuned.gguf)}")
    lines.append(f"  losses   {tuned.losses}")
    return "\n".join(lines)
