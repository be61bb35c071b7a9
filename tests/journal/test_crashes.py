"""Real processes, killed and starved: what was acknowledged is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from journal.material import keys_in, start

from asyncgen.errors import RunFolderError
from asyncgen.journal import Journal, JournalReader, RunLock

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

_WRITE = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journal.material import answer
from asyncgen.journal import Journal

async def write(journal, first):
    for key in range(first, 10**9, 8):
        await journal.append(answer(key, "x" * (key * 37 % 5000)))
        print(key, flush=True)

async def main():
    with Journal(Path(sys.argv[1])) as journal:
        await asyncio.gather(*(write(journal, first) for first in range(8)))

asyncio.run(main())
"""

_FILL_THE_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journal.material import answer
from asyncgen.errors import RunFolderError
from asyncgen.journal import Journal

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Journal(Path(sys.argv[1])) as journal:
        key = 0
        await journal.append(answer(key))
        print("written", key)
        room(400_000)
        for key in range(1, 1000):
            try:
                await journal.append(answer(key, "x" * 5000))
            except RunFolderError as error:
                print("refused", error)
                break
            print("written", key)
        room(resource.RLIM_INFINITY)
        for key in range(2000, 2010):
            await journal.append(answer(key, "x" * 5000))
            print("written", key)

asyncio.run(main())
"""


@pytest.fixture
def tests_folder(request: pytest.FixtureRequest) -> Path:
    return request.config.rootpath / "tests"


@pytest.mark.parametrize("moment", [1, 50, 400])
def test_after_a_kill_every_acknowledged_answer_is_in_the_journal(
    tmp_path: Path, tests_folder: Path, moment: int
) -> None:
    path = tmp_path / "journal.db"
    with start(_WRITE, path, tests_folder) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(moment)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout.readlines() if line.endswith("\n")]

    found = keys_in(path)
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))
    for first in range(8):
        of_one_writer = [key for key in found if key % 8 == first]
        assert of_one_writer == list(range(first, first + 8 * len(of_one_writer), 8))
    with Journal(path) as journal:
        assert [int(one.request.key) for one in journal.replay()] == found


def test_a_full_disk_is_one_clear_error_and_costs_nothing_that_was_written(
    tmp_path: Path, tests_folder: Path
) -> None:
    """Files may not grow beyond 400 kB, then they may: the same journal goes on."""
    path = tmp_path / "journal.db"
    with start(_FILL_THE_DISK, path, tests_folder) as writer:
        output, _ = writer.communicate(timeout=30)
    lines = [line.split(" ", 1) for line in output.splitlines()]

    refusals = [said for kind, said in lines if kind == "refused"]
    assert len(refusals) == 1
    assert refusals[0].startswith(f"{path}: an answer could not be written (")
    assert "what is there is safe: make room" in refusals[0]
    written = [int(said) for kind, said in lines if kind == "written"]
    assert written[-10:] == list(range(2000, 2010))
    assert len(written) > 15
    assert keys_in(path) == written
    assert list(JournalReader(path))[1].completion.text == "x" * 5000


def test_an_empty_file_that_a_crash_left_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch()

    with Journal(path) as journal:
        assert list(journal.replay()) == []


def test_a_disk_that_is_full_from_the_start_is_one_clear_error(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from asyncgen.errors import RunFolderError\n"
        "from asyncgen.journal import Journal, RunLock\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try:\n"
        "    with RunLock(Path(sys.argv[1])), Journal(Path(sys.argv[1]) / 'journal.db'):\n"
        "        pass\n"
        "except RunFolderError as error:\n"
        "    print(error)\n"
    )
    with start(program, tmp_path) as writer:
        output, _ = writer.communicate(timeout=30)

    assert output.startswith(f"{tmp_path / 'journal.db'}: the journal cannot be opened: ")
    assert len(output.splitlines()) == 1


def test_a_reader_beside_a_busy_writer_sees_a_prefix(tmp_path: Path, tests_folder: Path) -> None:
    path = tmp_path / "journal.db"
    with start(_WRITE, path, tests_folder) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        seen: list[int] = []
        while len(seen) < 100:
            now = keys_in(path)
            assert now[: len(seen)] == seen
            seen = now
        writer.kill()
        writer.communicate()


_HOLD = """
import sys
from pathlib import Path
from asyncgen.journal import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def _held(folder: Path) -> subprocess.Popen[str]:
    holder = start(_HOLD, folder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_process_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    with _held(tmp_path) as holder:
        with pytest.raises(RunFolderError) as caught, RunLock(tmp_path):
            pass
        holder.communicate("")

    assert str(caught.value) == (
        f"{tmp_path}: in use by process {holder.pid}; wait for it, or end it and run again"
    )
    with RunLock(tmp_path):
        """Free again."""


def test_a_killed_owner_holds_nothing(tmp_path: Path) -> None:
    with _held(tmp_path) as holder:
        holder.kill()
        holder.communicate()
        begun = time.monotonic()
        with RunLock(tmp_path):
            assert time.monotonic() - begun < 1


def test_a_file_left_behind_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / "run.lock").write_text("999999999\nmuch longer than a process id\n")
    with RunLock(tmp_path):
        assert (tmp_path / "run.lock").read_text().strip().isdigit()
    with RunLock(tmp_path):
        """And once more by the same process."""


def test_one_process_cannot_hold_a_folder_twice(tmp_path: Path) -> None:
    with RunLock(tmp_path), pytest.raises(RunFolderError, match="in use"), RunLock(tmp_path):
        pass


@pytest.mark.parametrize("folder", ["missing", "file/below"])
def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="not writable") as caught, RunLock(tmp_path / folder):
        pass

    assert caught.value.path == tmp_path / folder


_NOTE_ON_A_FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journal.material import answer
from asyncgen.errors import RunFolderError
from asyncgen.journal import Journal

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Journal(Path(sys.argv[1])) as journal:
        await journal.append(answer(0))
        room(50_000)
        for key in range(1, 50):
            journal.note(answer(key, "x" * 5000))
        for work in (journal.append(answer(99)), journal.settle()):
            try:
                await work
            except RunFolderError as error:
                print("refused")
        room(resource.RLIM_INFINITY)
        await journal.append(answer(100))

asyncio.run(main())
"""


def test_what_is_appended_is_never_there_without_what_was_noted_before_it(
    tmp_path: Path, tests_folder: Path
) -> None:
    """The disk is full, then it is not: what was noted meanwhile comes before what follows."""
    path = tmp_path / "journal.db"
    with start(_NOTE_ON_A_FULL_DISK, path, tests_folder) as writer:
        output, _ = writer.communicate(timeout=30)

    assert output == "refused\nrefused\n"
    assert keys_in(path) == [*range(50), 100]
