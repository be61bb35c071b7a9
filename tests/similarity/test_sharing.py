"""Pools in threads, in processes, and where compiled code cannot be kept."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from similarity.harness import sentences

import asyncgen_kernels
from asyncgen_kernels import Pool
from asyncgen_kernels import index as index_module

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from asyncgen_kernels.text import Encoded

TEXTS = sentences(1200, seed=12)

SCRIPT = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "Redirecting" not in str(finder)]
import numpy as np
import asyncgen_kernels as ours
from asyncgen_kernels import lookup
assert ours.__file__.startswith(sys.argv[1]), ours.__file__
assert ours.lcs_length(np.array([1, 2, 3], np.int32), np.array([1, 3], np.int32)) == 2
print(sum(lookup.lcs_pair.stats.cache_hits.values()))
"""


def kept_of(texts: list[str]) -> list[int | None]:
    return [admission.entry for admission in Pool().admit_many(texts)]


def work(end: Connection) -> None:
    """What a worker process does."""
    end.send(kept_of(TEXTS))
    end.close()


def test_two_pools_work_in_two_threads_at_once() -> None:
    orders = [TEXTS, TEXTS[::-1]]
    expected = [kept_of(texts) for texts in orders]
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(kept_of, orders * 5)) == expected * 5


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_process_decides_the_same(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")

    expected = kept_of(TEXTS)
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(theirs,))  # type: ignore[attr-defined]
    process.start()
    theirs.close()

    assert ours.recv() == expected
    process.join()
    assert process.exitcode == 0


def test_readers_see_a_prefix_while_one_thread_admits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever length a reader finds, what it reads is that of a prefix of the entries."""
    monkeypatch.setattr(index_module, "_TAIL", 16)
    pool, done = Pool(), threading.Event()
    seen: list[tuple[list[float], int | None, int | None, int]] = []
    query = TEXTS[0]

    def read() -> None:
        while not done.is_set():
            scores = pool.scan(query).tolist()
            nearest = pool.nearest(query)
            similar = pool.similar([query], k=1)
            now = pool.snapshot()
            seen.append((scores, nearest.index, int(similar.index[0, 0]), now.entries))

    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(read) for _ in range(2)]
        for start in range(0, len(TEXTS), 5):
            pool.admit_many(TEXTS[start : start + 5])
        done.set()
        for reader in readers:
            reader.result()

    final = pool.scan(query).tolist()
    for scores, nearest, similar, entries in seen:
        assert scores == final[: len(scores)]
        assert len(scores) <= entries <= len(final)
        assert nearest in {0, None}
        assert similar in {0, -1}


def test_a_scan_that_sees_an_entry_knows_its_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if another thread appended just when the scan has looked its tokens up."""
    pool = Pool()
    find = pool._vocabulary.find

    def find_and_append(texts: Sequence[str]) -> Encoded:
        found = find(texts)
        pool.add("a b c")
        return found

    monkeypatch.setattr(pool._vocabulary, "find", find_and_append)

    assert pool.scan("a b c").tolist() in ([], [1.0])


def run_copy(folder: Path, **environment: str) -> int:
    """Load a kernel of the copied package in a process of its own: from a cache, 1, or not, 0."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        env=os.environ | {"PYTHONPATH": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of the package, without compiled code."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    shutil.copytree(
        Path(asyncgen_kernels.__file__).parent,
        tmp_path / "asyncgen_kernels",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return tmp_path


def test_compiled_code_is_kept_until_any_source_of_the_package_changes(copied: Path) -> None:
    assert [run_copy(copied), run_copy(copied)] == [0, 1]
    with (copied / "asyncgen_kernels" / "bits.py").open("a", encoding="utf-8") as source:
        source.write("# changed\n")

    assert run_copy(copied) == 0


def test_where_nothing_can_be_written_kernels_work_all_the_same(copied: Path) -> None:
    """Files stand where the folders would be made, which stops even root."""
    (copied / "asyncgen_kernels" / "__pycache__").touch()
    (copied / "file").touch()
    nowhere = str(copied / "file")

    assert run_copy(copied, NUMBA_CACHE_DIR=nowhere, HOME=nowhere, XDG_CACHE_HOME=nowhere) == 0


def test_a_read_only_package_keeps_compiled_code_in_the_user_s_folder(copied: Path) -> None:
    (copied / "asyncgen_kernels" / "__pycache__").touch()
    cache = str(copied / "cache")

    assert [run_copy(copied, XDG_CACHE_HOME=cache) for _ in range(2)] == [0, 1]
