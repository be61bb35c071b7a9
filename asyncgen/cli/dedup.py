"""``asyncgen dedup``: the similarity filter on any corpus."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections import deque
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from asyncgen.machine import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType, TracebackType
    from typing import Self

    from rich.progress import Progress

    from asyncgen.corpus.job import Counts, Outcome
    from asyncgen_kernels import Pool

__all__ = ["dedup"]

_COMPILING = "compiling kernels (first run on this machine, ~10 s)"
_COMPILING_AFTER = 1.0
"""Seconds; kernels that were compiled before are loaded faster than that."""

_FIRST_BAR = 1.0
_BAR_SECONDS = 0.25
_LINE_SECONDS = 5.0
_SAMPLES = 20
"""How many times of showing a rate looks back."""

_FIELD = (
    "Field or column that holds the text; a dotted path if no field has that very name. "
    "Default: instruction. Lines of text need none."
)
_OUT = (
    "File for the kept rows, in the format of INPUT, compressed if it ends in .gz or .zst; "
    "'-' for standard output."
)
_REJECTED = "JSONL file for the other rows, each with reason, nearest and score."
_AGAINST = (
    "Corpus that nothing kept may resemble, of any format; text in the same field, else in "
    "'instruction', else in 'text'. Repeatable."
)
_FORMAT = "Format of INPUT, where neither its first byte nor its name should decide."
_ANNOTATE = "Add most_similar (ten [text, score]) and avg_similarity_score to each kept row."


def dedup(  # noqa: PLR0913 - each parameter is a flag
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="JSON lines, a JSON array, CSV with a header or lines of text; plain, gzip "
            "or zstandard; '-' for standard input.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help=_OUT)],
    field: Annotated[str | None, typer.Option(help=_FIELD)] = None,
    rejected: Annotated[Path | None, typer.Option(help=_REJECTED)] = None,
    against: Annotated[list[Path] | None, typer.Option(help=_AGAINST)] = None,
    threshold: Annotated[
        float, typer.Option(help="Reject what has a higher ROUGE-L than this to any other.")
    ] = 0.7,
    tokenizer: Annotated[
        Literal["rouge", "unicode"],
        typer.Option(help="rouge: runs of a-z and 0-9. unicode: letters and digits of any script."),
    ] = "rouge",
    annotate: Annotated[bool, typer.Option("--annotate", help=_ANNOTATE)] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Count malformed rows instead of stopping.")
    ] = False,
    form: Annotated[
        Literal["jsonl", "json", "csv", "text"] | None, typer.Option("--format", help=_FORMAT)
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads for --annotate; default: all processors.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> None:
    """Keep the rows of INPUT that resemble none before them.

    Rows are taken in order, the first of similar ones is kept, and what is kept
    is written byte for byte as it stood. Files appear when all is done.

    Example: asyncgen dedup corpus.jsonl.gz --field instruction --out kept.jsonl
    """
    from asyncgen.corpus.job import Job, run
    from asyncgen.errors import SettingsError

    began = time.monotonic()
    if not 0 < threshold <= 1:
        raise SettingsError(f"--threshold {threshold}: must lie in (0, 1]")
    if as_json and "-" in {str(out), str(rejected)}:
        raise SettingsError("--json and the rows cannot both go to standard output")
    job = Job(
        source=source,
        kept=out,
        rejected=rejected,
        against=tuple(against or ()),
        field=field,
        form=form,
        annotate=annotate,
        skip_bad=skip_bad,
        threads=threads or processors(),
    )
    with _ending_cleanly() as check, _Display() as display:

        def watch(counts: Counts, share: float | None) -> None:
            check()
            display.show(counts, share)

        outcome = run(job, lambda: _pool(threshold, tokenizer, scan=annotate), watch)
    seconds = time.monotonic() - began
    if as_json:
        from asyncgen.cli.summary import as_json_line

        typer.echo(as_json_line(_summary(outcome, seconds)))
    else:
        _say(f"{out}: {_in_words(outcome, seconds)}")


def _pool(threshold: float, tokenizer: Literal["rouge", "unicode"], *, scan: bool) -> Pool:
    """Return an empty pool; say what is going on if its kernels have to be compiled."""
    notice = threading.Timer(_COMPILING_AFTER, _say, [_COMPILING])
    notice.daemon = True
    notice.start()
    try:
        from asyncgen_kernels import Pool, is_cached, warm_up

        # What is in the cache is loaded when it is called: a small job does not need all of it.
        if scan or not is_cached():
            warm_up(scan=scan)
    finally:
        notice.cancel()
    return Pool(threshold=threshold, tokenizer=tokenizer)


def _summary(outcome: Outcome, seconds: float) -> dict[str, Any]:
    counts = outcome.counts
    return {
        "rows": counts.rows,
        "kept": counts.kept,
        "rejected": counts.rows - counts.kept,
        "bad": counts.bad,
        "against": counts.against,
        "against_bad": counts.against_bad,
        "format": outcome.form,
        "seconds": round(seconds, 3),
        "candidates_per_second": round(outcome.rate, 1),
    }


def _in_words(outcome: Outcome, seconds: float) -> str:
    counts = outcome.counts
    bad = counts.bad + counts.against_bad
    return (
        f"kept {counts.kept:,} of {counts.rows:,} rows ({outcome.form}), "
        f"rejected {counts.rows - counts.kept:,}"
        + (f", skipped {bad:,} malformed" if bad else "")
        + f"; {seconds:.1f} s, {outcome.rate:,.0f} rows/s"
    )


def _say(message: str) -> None:
    typer.echo(f"asyncgen: {message}", err=True)


@contextlib.contextmanager
def _ending_cleanly() -> Generator[Callable[[], None]]:
    """Let an interruption unwind, so that half-written files go, and say that nothing changed.

    Yields what is to be called now and then: an exception raised by a signal is lost where
    Python can only report it, in a finaliser say, and is raised again then.
    """
    received: list[int] = []

    def check() -> None:
        if received:
            raise (
                KeyboardInterrupt if received[0] == signal.SIGINT else SystemExit(128 + received[0])
            )

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        check()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    except KeyboardInterrupt:
        _say("interrupted; no file was replaced")
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Display:
    """Shows how far a job is, on standard error: a bar on a terminal, else a line now and then.

    A quick job shows nothing.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._is_terminal = sys.stderr.isatty()
        self._samples: deque[tuple[float, int, float]] = deque(maxlen=_SAMPLES)
        self._bar: Progress | None = None
        self._due = clock() + (_FIRST_BAR if self._is_terminal else _LINE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, counts: Counts, share: float | None) -> None:
        """Show it, if it is time."""
        now = self._clock()
        if not counts.rows:
            # Rates begin with the work, not with compiling or loading.
            self._samples.clear()
            self._samples.append((now, 0, 0.0))
        if now < self._due or not (counts.rows or counts.against):
            return
        self._due = now + (_BAR_SECONDS if self._is_terminal else _LINE_SECONDS)
        text = self._in_words(now, counts, share)
        if self._is_terminal:
            self._draw(text, share)
        else:
            _say(text)

    def _in_words(self, now: float, counts: Counts, share: float | None) -> str:
        """Return counts, the rate of the last seconds, and the time left at that rate."""
        if not counts.rows:
            return f"texts to compare with: {counts.against:,} loaded"
        moment, rows, share_then = self._samples[0]
        self._samples.append((now, counts.rows, share or 0.0))
        seconds = max(now - moment, 1e-9)
        text = f"{counts.rows:,} rows · kept {counts.kept:,}"
        text += f" · {(counts.rows - rows) / seconds:,.0f} rows/s"
        if share is None or share <= share_then:
            return text
        left = timedelta(seconds=round((1 - share) * seconds / (share - share_then)))
        return f"{text} · {share:.0%} · ETA {left}"

    def _draw(self, text: str, share: float | None) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = BarColumn(), TextColumn("{task.description}")
            self._bar = Progress(
                *columns, console=Console(stderr=True), transient=True, auto_refresh=False
            )
            self._bar.start()
            self._bar.add_task("", total=1.0)
        self._bar.update(self._bar.task_ids[0], description=text, completed=share or 0.0)
        self._bar.refresh()
