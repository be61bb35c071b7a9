"""Real places that fail: full, read-only, copied in the middle of the work, cut off."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from journal.material import answer, keys_in

from asyncgen.errors import RunFolderError
from asyncgen.journal import Journal, JournalReader, RunLock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

_ROOM = 2_000_000  # bytes


@contextmanager
def _mounted(folder: Path, *arguments: str) -> Generator[None]:
    """Mount something at a folder for as long as the block runs."""
    folder.mkdir(exist_ok=True)
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() or mount is None or umount is None:
        pytest.skip("only root can mount")
    done = subprocess.run(
        [mount, *arguments, str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([umount, str(folder)], check=True)


async def _append(journal: Journal, keys: range, length: int = 100) -> None:
    for key in keys:
        await journal.append(answer(key, "x" * length))


def test_a_disk_that_runs_full_costs_nothing_and_with_room_it_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with _mounted(disk, "-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs"):
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * (_ROOM // 2))
        with Journal(disk / "journal.db") as journal:
            with pytest.raises(RunFolderError, match="could not be written") as caught:
                asyncio.run(_append(journal, range(10_000), 20_000))
            written = keys_in(disk / "journal.db")
            ballast.unlink()
            asyncio.run(_append(journal, range(20_000, 20_005)))

        assert len(str(caught.value).splitlines()) == 1
        assert "make room, then run the same command again" in str(caught.value)
        assert written == list(range(len(written)))
        assert len(written) > 5
        assert keys_in(disk / "journal.db") == [*written, *range(20_000, 20_005)]
        assert JournalReader(disk / "journal.db").check() == []


def test_a_place_that_is_read_only_is_one_clear_line_and_can_be_read(tmp_path: Path) -> None:
    """As root a mode keeps nobody from writing, so the folder is mounted read-only."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    with Journal(here / "journal.db") as journal:
        asyncio.run(_append(journal, range(5)))
    with _mounted(there, "--bind", "-o", "ro", str(here)):
        with pytest.raises(RunFolderError, match="not writable") as caught, RunLock(there):
            pass
        with pytest.raises(RunFolderError, match="cannot be opened") as refused:
            Journal(there / "journal.db")

        assert len(str(caught.value).splitlines()) == len(str(refused.value).splitlines()) == 1
        assert keys_in(there / "journal.db") == list(range(5))
        assert JournalReader(there / "journal.db").check() == []
    with Journal(here / "journal.db") as journal:
        asyncio.run(_append(journal, range(5, 6)))
    assert keys_in(here / "journal.db") == list(range(6))


# A copy with the write-ahead log, as a kill leaves it or ``cp -r`` finds it.


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder that was copied while 20 answers stood in the log alone, and its lock."""
    folder = tmp_path / "run"
    folder.mkdir()
    with RunLock(folder), Journal(folder / "journal.db") as journal:
        asyncio.run(_append(journal, range(20)))
        shutil.copytree(folder, tmp_path / "copy")
    log = tmp_path / "copy" / "journal.db-wal"
    assert log.stat().st_size > 20 * 8192
    return tmp_path / "copy"


def test_a_copy_of_a_journal_at_work_goes_on(copied: Path) -> None:
    with RunLock(copied), Journal(copied / "journal.db") as journal:
        asyncio.run(_append(journal, range(20, 25)))

    assert keys_in(copied / "journal.db") == list(range(25))
    assert JournalReader(copied / "journal.db").check() == []


def test_a_copy_needs_no_index_of_its_log(copied: Path) -> None:
    (copied / "journal.db-shm").unlink()

    assert keys_in(copied / "journal.db") == list(range(20))


def _cut_off(log: Path) -> None:
    os.truncate(log, log.stat().st_size - 3000)


def _garble(log: Path) -> None:
    with log.open("r+b") as stream:
        stream.seek(-3000, os.SEEK_END)
        stream.write(b"\xa5" * 3000)


def _add_rubbish(log: Path) -> None:
    with log.open("ab") as stream:
        stream.write(b"\xa5" * 20_000)


@pytest.mark.parametrize(("harm", "left"), [(_cut_off, 19), (_garble, 19), (_add_rubbish, 20)])
def test_a_log_whose_end_is_damaged_loses_its_last_commit_at_most(
    copied: Path, harm: Callable[[Path], None], left: int
) -> None:
    """As after a power cut, when that commit was never acknowledged."""
    harm(copied / "journal.db-wal")
    with Journal(copied / "journal.db") as journal:
        found = [int(one.request.key) for one in journal.replay()]
        asyncio.run(_append(journal, range(left, 30)))

    assert found == list(range(left))
    assert keys_in(copied / "journal.db") == list(range(30))
    assert JournalReader(copied / "journal.db").check() == []
