"""A run folder holds all of a run: copied, damaged and mended, it ends with the same dataset."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import AsyncExitStack, closing
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from planning.material import settings_for

from asyncgen.endpoints.connect import open_endpoints
from asyncgen.endpoints.simulated import Latency, SimulatedOptions
from asyncgen.endpoints.simulated.server import simulated_here
from asyncgen.errors import InputError, RunFolderError
from asyncgen.journal import JournalReader
from asyncgen.journal.schema import VERSION
from asyncgen.pipeline.fold import Fold
from asyncgen.pipeline.folder import RunFolder
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.run import Run, load_fold
from asyncgen.pipeline.seeds import packaged, read_few_shot, read_seed_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from asyncgen.records import Request, Stage

TARGET = 20


class _Watched:
    """What a run has to ask, some answers long; looks at the run as often as it is asked."""

    def __init__(self, run: Run, answers: int, look: Callable[[Run], None]) -> None:
        self._run, self._answers, self._look = run, answers, look

    @property
    def finished(self) -> bool:
        self._look(self._run)
        answered = sum(self._run.fold.counts.answers.values())
        return self._run.agenda.finished or answered >= self._answers

    def next_request(self, _stages: Collection[Stage] | None = None, /) -> Request | None:
        return self._run.agenda.next_request()


def _grow(
    folder: Path,
    *,
    seeds: str = "",
    answers: int = 10**6,
    latency: float = 0.001,
    look: Callable[[Run], None] = lambda _run: None,
) -> bytes:
    """Work on a run until it is done or so many answers are there; return its dataset."""

    async def work() -> None:
        options = SimulatedOptions(latency=Latency(first=latency))
        async with simulated_here(options) as provider, AsyncExitStack() as stack:
            settings = settings_for(
                provider.base_url, target=TARGET, max_in_flight=4, look_ahead=4, seeds=seeds
            )
            endpoints = await open_endpoints(
                stack, settings, RunFolder(folder).server_log, lambda _line: None
            )
            with Run.opened(RunFolder(folder), settings) as run:
                await run.work(endpoints, lambda _line: None, _Watched(run, answers, look))
                run.write()

    asyncio.run(work())
    return (folder / "dataset.jsonl").read_bytes()


def _refused(folder: Path) -> str:
    """Return the one line by which a run is refused, to readers and to who would go on."""
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(InputError) as caught:
        _grow(folder)
    with pytest.raises(InputError):
        load_fold(RunFolder(folder))
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    kept = {"journal.db", "settings.toml", "seeds.jsonl", "dataset.jsonl"}
    assert {name: after[name] for name in after.keys() & kept} == {
        name: before[name] for name in before.keys() & kept
    }
    return str(caught.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    assert len(_grow(folder).splitlines()) == TARGET
    return folder


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run of forty answers."""
    _grow(tmp_path / "run", answers=40)
    return tmp_path / "run"


def test_the_live_state_is_what_the_journal_says_at_any_moment(tmp_path: Path) -> None:
    looks: set[int] = set()
    seeds = read_seed_tasks(packaged("seed_tasks.jsonl"), at_least=8)

    def look(run: Run) -> None:
        folded = sum(run.fold.counts.answers.values())
        if folded in looks:
            return
        looks.add(folded)
        # There may be more on the disk that was not handed to the fold yet.
        replayed = Fold(run.settings, seeds, PromptBook(run.settings, read_few_shot()))
        for one in islice(JournalReader(run.folder.journal), folded):
            replayed.commit(one)
        assert run.fold.snapshot() == replayed.snapshot()

    _grow(tmp_path / "run", look=look, latency=0.03)

    assert len(looks) > TARGET // 2


def test_a_copy_goes_on_without_the_original(begun: Path, whole: Path, tmp_path: Path) -> None:
    """Its lock too was copied, and holds nobody up."""
    assert (begun / "run.lock").is_file()
    copy = shutil.copytree(begun, tmp_path / "elsewhere" / "copy")
    shutil.rmtree(begun)

    assert _grow(copy) == (whole / "dataset.jsonl").read_bytes()


def test_a_copy_needs_no_seed_file_but_its_own(tmp_path: Path) -> None:
    seeds = tmp_path / "mine.jsonl"
    shutil.copy(packaged("seed_tasks.jsonl"), seeds)
    expected = _grow(tmp_path / "whole", seeds=str(seeds))
    _grow(tmp_path / "run", seeds=str(seeds), answers=40)
    copy = shutil.copytree(tmp_path / "run", tmp_path / "copy")
    seeds.unlink()

    assert (copy / "seeds.jsonl").read_bytes() == packaged("seed_tasks.jsonl").read_bytes()
    assert load_fold(RunFolder(copy))[0].seeds == str(seeds)
    assert _grow(copy, seeds=str(seeds)) == expected


def test_other_seeds_are_refused_wherever_they_lie(begun: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(
        b"".join((begun / "seeds.jsonl").read_bytes().splitlines(keepends=True)[:100])
    )

    with pytest.raises(RunFolderError, match="a run of other settings, seeds_sha256"):
        _grow(begun, seeds=str(other))


def test_seeds_that_were_changed_in_the_folder_are_refused(begun: Path, whole: Path) -> None:
    before = (begun / "seeds.jsonl").read_bytes()
    (begun / "seeds.jsonl").write_bytes(before.replace(b"seed", b"tree", 1))

    assert _refused(begun) == (
        f"{begun / 'seeds.jsonl'}: changed since the run began: put the old one back"
    )
    (begun / "seeds.jsonl").write_bytes(before)
    assert _grow(begun) == (whole / "dataset.jsonl").read_bytes()


def test_seeds_that_were_removed_from_the_folder_are_taken_from_where_they_were(
    begun: Path, whole: Path
) -> None:
    (begun / "seeds.jsonl").unlink()

    assert _grow(begun) == (whole / "dataset.jsonl").read_bytes()
    assert (begun / "seeds.jsonl").is_file()


def _remove(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _garble_header(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.write(b"\xa5" * 64)


def _garble_the_middle(path: Path) -> None:
    with path.open("r+b") as stream:
        size = path.stat().st_size
        for place in range(size // 3, size, size // 6):
            stream.seek(place // 8192 * 8192)
            stream.write(b"\xa5" * 8192)


def _of_something_else(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE contacts (name)")
        connection.commit()


def _of_the_future(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_remove, "journal.db is missing"),
        (_empty, "journal.db is missing or empty, which held every answer: put it back"),
        (_garble_header, "file is not a database"),
        (_garble_the_middle, "the journal is damaged: "),
        (_of_something_else, "a journal of layout 0; this asyncgen reads layout"),
        (
            _of_the_future,
            f"a journal of layout {VERSION + 1}; this asyncgen reads layout {VERSION}",
        ),
    ],
)
def test_a_journal_that_is_not_what_it_was_is_one_line_and_put_back_it_goes_on(
    begun: Path, whole: Path, damage: Callable[[Path], None], said: str
) -> None:
    journal = begun / "journal.db"
    kept = journal.read_bytes()
    damage(journal)

    assert said in _refused(begun)
    journal.write_bytes(kept)
    assert _grow(begun) == (whole / "dataset.jsonl").read_bytes()


def test_answers_without_their_settings_are_refused_and_put_back_they_go_on(
    begun: Path, whole: Path
) -> None:
    kept = (begun / "settings.toml").read_bytes()
    (begun / "settings.toml").unlink()
    for name in ("dataset.jsonl", "rejected.jsonl", "seeds.jsonl"):
        (begun / name).unlink()

    assert "settings.toml is missing" in _refused(begun)
    (begun / "settings.toml").write_bytes(kept)
    assert _grow(begun) == (whole / "dataset.jsonl").read_bytes()


def test_a_run_that_was_killed_before_its_settings_were_written_begins(
    whole: Path, tmp_path: Path
) -> None:
    _grow(tmp_path / "run", answers=0)
    for name in ("settings.toml", "seeds.jsonl", "dataset.jsonl", "rejected.jsonl"):
        (tmp_path / "run" / name).unlink()

    assert _grow(tmp_path / "run") == (whole / "dataset.jsonl").read_bytes()
