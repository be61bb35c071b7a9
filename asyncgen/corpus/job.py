"""From files to files: read in blocks, decide, write, and replace nothing before the end."""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.corpus.dedup import Deduplicator
from asyncgen.corpus.fields import DEFAULT, Field
from asyncgen.corpus.formats import Format, corpus_of, format_of
from asyncgen.corpus.origins import BLOCK, reader_of
from asyncgen.corpus.rows import RowReader
from asyncgen.corpus.selection import KeptWriter, RejectedWriter
from asyncgen.corpus.sink import Sink, is_same_file
from asyncgen.corpus.source import Source
from asyncgen.errors import CorpusError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from asyncgen.corpus.rows import Corpus, Row
    from asyncgen_kernels import Pool

    Watch = Callable[["Counts", float | None], None]

__all__ = ["Counts", "Job", "Outcome", "run"]

_ANNOTATED_BLOCK = 128
"""Rows; a scan of a large pool for each takes long enough to want progress in between."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to do; ``-`` among the paths is standard input or output.

    Attributes:
        source: The corpus.
        kept: Where the rows go that are kept.
        rejected: Where the others go, if anywhere.
        against: Corpora that nothing kept may resemble; a row's text is its field ``field``,
            else "instruction", else "text".
        field: The field that holds the text; ``None`` for "instruction".
        form: The format of the corpus; ``None`` to tell by itself.
        annotate: Add ``most_similar`` and ``avg_similarity_score`` to what is kept.
        skip_bad: Count malformed rows instead of stopping.
        threads: For the scans that annotating needs.
    """

    source: Path
    kept: Path
    rejected: Path | None = None
    against: tuple[Path, ...] = ()
    field: str | None = None
    form: Format | None = None
    annotate: bool = False
    skip_bad: bool = False
    threads: int = 1

    def check(self) -> None:
        """Hold the paths against each other.

        Raises:
            SettingsError: If something would be written over what is read, or twice.
        """
        if self.rejected is not None and is_same_file(self.rejected, self.kept):
            raise SettingsError(f"--rejected and --out name the same file: {self.kept}")
        read = (self.source, *self.against)
        for flag, path in (("--out", self.kept), ("--rejected", self.rejected)):
            if path is not None and str(path) != "-" and any(is_same_file(path, r) for r in read):
                raise SettingsError(f"{flag} {path}: would be written over what is read")
        if sum(str(path) == "-" for path in read) > 1:
            raise SettingsError("standard input can be read only once")


@dataclass(slots=True)
class Counts:
    """How far a job is.

    Attributes:
        rows: Usable rows of the corpus, decided so far.
        kept: Those that were kept; the others were rejected.
        bad: Malformed rows of the corpus, skipped.
        against: Texts that were loaded before.
        against_bad: Malformed rows among those, skipped.
    """

    rows: int = 0
    kept: int = 0
    bad: int = 0
    against: int = 0
    against_bad: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished job did.

    Attributes:
        form: The format of the corpus.
        counts: Its rows.
        seconds: From the first decision to the last byte written.
    """

    form: Format
    counts: Counts
    seconds: float

    @property
    def rate(self) -> float:
        """Rows decided a second, reading and writing included."""
        return self.counts.rows / max(self.seconds, 1e-9)


def run(
    job: Job,
    make_pool: Callable[[], Pool],
    watch: Watch,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Do a job; its files appear when all is done, or not at all.

    Args:
        job: What to do.
        make_pool: Called once, when the files are open and the corpus has a usable row.
        watch: Told before the first block and after each how far the job is, and which share
            of the corpus is done.
        clock: Seconds.

    Raises:
        SettingsError: If the job contradicts itself.
        CorpusError: If a file cannot be read or written, or a row cannot be used.
    """
    job.check()
    with ExitStack() as stack:
        files = _Files.opened(job, stack)
        first = next(files.blocks, None)
        if first is None:
            raise CorpusError(files.source.name, "holds no rows")
        explain = files.rejected is not None
        pool = make_pool()
        filter_ = Deduplicator(pool, explain=explain, annotate=job.annotate, threads=job.threads)
        counts = Counts()
        for source in files.against:
            _load(job, source, filter_, counts, watch)
        started = clock()
        _select(job, files, first, filter_, counts, watch)
        return Outcome(files.form, counts, clock() - started)


@dataclass(frozen=True, slots=True)
class _Files:
    """The open files of a job; those to write are already being written beside the old ones."""

    source: Source
    against: list[Source]
    form: Format
    corpus: Corpus
    reader: RowReader
    blocks: Iterator[list[Row]]
    kept: Sink
    rejected: Sink | None

    @classmethod
    def opened(cls, job: Job, stack: ExitStack) -> _Files:
        source = stack.enter_context(Source(job.source))
        against = [stack.enter_context(Source(path)) for path in job.against]
        form = job.form or format_of(source, job.field)
        if job.annotate and form == "text":
            raise SettingsError(f"--annotate: {source.name} is lines of text, which have no fields")
        corpus = corpus_of(source, form, Field(job.field or DEFAULT))
        reader = RowReader(corpus, skip_bad=job.skip_bad)
        blocks = reader.blocks(_ANNOTATED_BLOCK if job.annotate else BLOCK)
        kept = stack.enter_context(Sink(job.kept))
        rejected = stack.enter_context(Sink(job.rejected)) if job.rejected else None
        return cls(source, against, form, corpus, reader, blocks, kept, rejected)


def _load(job: Job, source: Source, filter_: Deduplicator, counts: Counts, watch: Watch) -> None:
    reader = reader_of(source, job.field, skip_bad=job.skip_bad)
    filter_.begin(source.name)
    for block in reader.blocks(BLOCK):
        filter_.exclude(block)
        counts.against += len(block)
        watch(counts, None)
    counts.against_bad += reader.bad


def _select(
    job: Job,
    files: _Files,
    first: list[Row],
    filter_: Deduplicator,
    counts: Counts,
    watch: Watch,
) -> None:
    keep = KeptWriter(files.corpus, files.kept, annotate=job.annotate)
    reject = RejectedWriter(files.corpus, files.rejected) if files.rejected else None
    filter_.begin(files.source.name)
    used = 0
    watch(counts, files.source.share_used(used))
    for block in itertools.chain([first], files.blocks):
        decisions = filter_.decide(block)
        counts.kept += keep.write(decisions)
        if reject:
            reject.write(decisions)
        counts.rows += len(block)
        counts.bad = files.reader.bad
        used += sum(len(row.raw) for row in block)
        watch(counts, files.source.share_used(used))
    counts.bad = files.reader.bad
    keep.end()
    _replace([files.rejected, files.kept] if files.rejected else [files.kept])


def _replace(sinks: list[Sink]) -> None:
    # All are complete before the first is put in its place.
    for sink in sinks:
        sink.finish()
    for sink in sinks:
        sink.commit()
