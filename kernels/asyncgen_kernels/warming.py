"""Having the kernels compiled, or loaded from the cache, before anyone waits for them.

Where nothing was kept yet a second process compiles a share and leaves it in the cache: a thread
could not, for Numba compiles under a lock.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from asyncgen_kernels.columns import Columns
from asyncgen_kernels.compiled import is_kept, was_loaded
from asyncgen_kernels.entries import EntriesView
from asyncgen_kernels.index import Index
from asyncgen_kernels.measure import THRESHOLD, bar_of, fill_bar, required_lcs
from asyncgen_kernels.pairs import rouge_l
from asyncgen_kernels.scan import scan_many, scores
from asyncgen_kernels.text import Encoded, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Generator

_HELPER = "from asyncgen_kernels import warming; warming.help_out(scan={scan})"
# Entries, more than an index keeps unsorted; and words, more than a vocabulary begins with.
_MANY = 2100


def warm_up(*, scan: bool = True) -> None:
    """Compile every kernel, or load it from the cache, so that no later call waits for it.

    Call it in a thread of its own while the first requests are in the air. It takes seconds on
    a machine's first run, when two processors share the work, and a fraction of one later; a
    second call does nothing.

    Args:
        scan: Also what only `Pool.similar`, `nearest` and `scan` need; admission does not.
    """
    _warm(scan)


def is_cached() -> bool:
    """Whether the kernels were compiled before, so that each is loaded in no time when called.

    Judged by the first of them, which this loads or compiles, unless they were warmed up here.
    """
    bar_of(THRESHOLD)
    return was_loaded(fill_bar) or _warm.cache_info().currsize > 0


@functools.cache
def _warm(scan: bool) -> None:  # noqa: FBT001 - what the cache keeps it by
    alone = is_cached() or not is_kept(fill_bar) or _processors() < 2
    with nullcontext() if alone else _helper(scan=scan):
        _own_share(scan=scan)

    _other_share(scan=scan)


def help_out(*, scan: bool) -> None:
    """Compile the helper's share and go; at once when whoever asked for it has gone."""
    Thread(target=_leave_with_parent, daemon=True).start()
    _other_share(scan=scan)


def _leave_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


@contextmanager
def _helper(*, scan: bool) -> Generator[None]:
    """Have a second process compile its share meanwhile; wait for it.

    Whatever keeps it from doing so is no failure: what it has not done is done here.
    """
    command = [sys.executable, "-P", "-c", _HELPER.format(scan=scan)]
    nowhere = subprocess.DEVNULL
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere)  # noqa: S603 - our own interpreter and program
    with child:
        try:
            yield
            child.wait()
        finally:
            child.kill()


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))

    return os.cpu_count() or 1


def _own_share(*, scan: bool) -> None:
    _warm_decisions()
    if scan:
        _warm_batches()


def _other_share(*, scan: bool) -> None:
    _warm_texts()
    _warm_postings()
    if scan:
        _warm_singles()


def _warm_texts() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn([f"w{number}" for number in range(_MANY)])
    vocabulary.find(["w1"])


def _warm_postings() -> None:
    index = Index(THRESHOLD)
    for count in (_MANY, 1):  # sorted into a segment, and newer than it
        index.append(_texts(count))
        index.settle(1)


def _warm_decisions() -> None:
    Index(THRESHOLD).search(_texts(1))


def _warm_batches() -> None:
    scan_many(_texts(4), _entries(4), 1)


def _warm_singles() -> None:
    columns = Columns()
    one = np.zeros(1, np.int32)
    for count in (1, 2):  # in the copy, and newer than it
        scores(one, _entries(count), columns)

    scan_many(_texts(1), _entries(1), 1)
    rouge_l(one, one)
    required_lcs(THRESHOLD, 1, 1)


def _texts(count: int) -> Encoded:
    """So many texts of the same single token."""
    return Encoded(np.zeros(count, np.int32), np.arange(count + 1, dtype=np.int64))


def _entries(count: int) -> EntriesView:
    return EntriesView(*_texts(count))
