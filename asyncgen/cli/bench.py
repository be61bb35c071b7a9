"""``asyncgen bench``: measurements on the user's own machine and data."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asyncgen.cli.bench_endpoint import endpoint

if TYPE_CHECKING:
    from asyncgen.bench.filter import Peer
    from asyncgen.bench.workload import Workload

__all__ = ["bench_app"]

_SYNTHETIC = 52_000
"""Texts where nothing was said: as many as the original's dataset has."""

_PEERS: tuple[Peer, ...] = ("rapidfuzz", "rouge_score")
_OPTIONAL: dict[Peer, str] = {"rouge_score": "rouge-score"}
"""What of them may be missing, and what to install."""

_CORPUS = (
    "Corpus to measure on: JSON lines, a JSON array, CSV or lines of text, plain or compressed."
)
_MADE = (
    "Measure on so many generated texts instead, the same every time. "
    f"Default without a corpus: {_SYNTHETIC:,}."
)
_FIELD = "Field or column of the corpus that holds the text. Default: instruction."
_POOL = "The first N texts are the pool. Default: all but the candidates."
_CANDIDATES = "The next M texts are decided on. Default: 4,096, or as many as there are."
_AGAINST = (
    "Whom to measure besides, with commas between: rapidfuzz, rouge_score. "
    "Default: both, as far as installed."
)

bench_app = typer.Typer(
    help="Measure the filter on this machine, or an endpoint.", no_args_is_help=True
)
bench_app.command()(endpoint)


@bench_app.command("filter")
def filter_(  # noqa: PLR0913 - each parameter is a flag
    *,
    corpus: Annotated[Path | None, typer.Option(metavar="FILE", help=_CORPUS)] = None,
    synthetic: Annotated[int | None, typer.Option(metavar="N", min=1, help=_MADE)] = None,
    field: Annotated[str | None, typer.Option(metavar="NAME", help=_FIELD)] = None,
    pool: Annotated[int | None, typer.Option(metavar="N", min=1, help=_POOL)] = None,
    candidates: Annotated[int | None, typer.Option(metavar="M", min=1, help=_CANDIDATES)] = None,
    against: Annotated[str | None, typer.Option(metavar="NAMES", help=_AGAINST)] = None,
    threshold: Annotated[
        float, typer.Option(help="Reject what has a higher ROUGE-L than this to any other.")
    ] = 0.7,
    tokenizer: Annotated[
        Literal["rouge", "unicode"],
        typer.Option(help="rouge: runs of a-z and 0-9. unicode: letters and digits of any script."),
    ] = "rouge",
    start: Annotated[
        bool,
        typer.Option(
            "--start/--no-start", help="Measure the cold and the cached start; takes seconds."
        ),
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> None:
    """Measure the similarity filter, and what others would use, in the same run.

    One thread against one thread. Decisions are checked against brute force.

    Example: asyncgen bench filter --corpus corpus.jsonl.gz --pool 52000
    """
    from asyncgen.errors import SettingsError

    if not 0 < threshold <= 1:
        raise SettingsError(f"--threshold {threshold}: must lie in (0, 1]")
    peers = _peers(against)
    workload = _workload(corpus, synthetic, field, pool, candidates)

    from asyncgen.bench.filter import Plan, measure_filter
    from asyncgen.bench.report import as_fields, as_text

    plan = Plan(threshold, tokenizer, peers, start)
    report = measure_filter(workload, plan, _say)
    if as_json:
        from asyncgen.cli.summary import as_json_line

        typer.echo(as_json_line(as_fields(report, workload, plan)))
    else:
        typer.echo(as_text(report, workload, plan))


def _peers(names: str | None) -> tuple[Peer, ...]:
    """Return those that were asked for, or all that are installed."""
    from asyncgen.errors import SettingsError

    if names is None:
        return tuple(peer for peer in _PEERS if find_spec(peer) is not None)
    asked = {name.strip() for name in names.split(",")} - {""}
    for name in sorted(asked - set(_PEERS)):
        raise SettingsError(f"--against {name}: unknown; there are: {', '.join(_PEERS)}")
    for peer in _PEERS:
        if peer in asked and find_spec(peer) is None:
            raise SettingsError(
                f"--against {peer}: is not installed: pip install {_OPTIONAL.get(peer, peer)}"
            )
    return tuple(peer for peer in _PEERS if peer in asked)


def _workload(
    corpus: Path | None,
    synthetic: int | None,
    field: str | None,
    pool: int | None,
    candidates: int | None,
) -> Workload:
    from asyncgen.bench.workload import read_workload, synthetic_workload
    from asyncgen.errors import SettingsError

    if corpus is None:
        if field is not None:
            raise SettingsError("--field: needs a --corpus")
        return synthetic_workload(pool or synthetic or _SYNTHETIC, candidates)
    if synthetic is not None:
        raise SettingsError("--corpus and --synthetic: one of them")
    return read_workload(corpus, field, pool, candidates)


def _say(message: str) -> None:
    typer.echo(f"asyncgen: {message}", err=True)
