"""What a journal has taken is there: after reopening, in order, equal."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal.material import answer, keys_in

from asyncgen.errors import RunFolderError
from asyncgen.journal import Journal, JournalReader
from asyncgen.journal.rows import RowWriter, read
from asyncgen.journal.schema import VERSION, connect, prepare
from asyncgen.records import Answer, Completion, Failures, Prompt, Request, Sampling, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def append_each(journal: Journal, answers: Iterable[Answer]) -> None:
    for one in answers:
        await journal.append(one)


async def append_together(journal: Journal, answers: Iterable[Answer]) -> None:
    await asyncio.gather(*map(journal.append, answers))


def test_answers_come_back_equal_and_in_order(path: Path) -> None:
    answers = [answer(key) for key in (5, 3, 9, 1)]
    with Journal(path) as journal:
        asyncio.run(append_each(journal, answers))

    with Journal(path) as journal:
        assert list(journal.replay()) == answers
    assert list(JournalReader(path)) == answers


def test_a_later_session_goes_on_where_the_earlier_ended(path: Path) -> None:
    for key in range(5):
        with Journal(path) as journal:
            assert [one.request.key for one in journal.replay()] == [str(k) for k in range(key)]
            asyncio.run(append_each(journal, [answer(key)]))

    assert keys_in(path) == list(range(5))


def test_an_answer_is_readable_by_others_when_its_append_returns(path: Path) -> None:
    async def main(journal: Journal) -> None:
        for key in range(10):
            await journal.append(answer(key))
            assert keys_in(path) == list(range(key + 1))

    with Journal(path) as journal:
        asyncio.run(main(journal))


def test_answers_that_arrive_together_share_commits(path: Path) -> None:
    answers = [answer(key) for key in range(2000)]
    with Journal(path) as journal:
        asyncio.run(append_together(journal, answers))

        assert journal.commits < 100
    assert keys_in(path) == list(range(2000))


def test_an_answer_alone_waits_for_no_group(path: Path) -> None:
    with Journal(path) as journal:
        asyncio.run(append_each(journal, [answer(0), answer(1)]))

        assert journal.commits == 2


def test_an_answer_whose_taker_is_cancelled_is_written_all_the_same(path: Path) -> None:
    """It has arrived, so it is paid for."""

    async def main(journal: Journal) -> None:
        tasks = [asyncio.ensure_future(journal.append(answer(key))) for key in range(50)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        assert {type(one) for one in await asyncio.gather(*tasks, return_exceptions=True)} == {
            asyncio.CancelledError
        }

    with Journal(path) as journal:
        asyncio.run(main(journal))

    assert keys_in(path) == list(range(50))


def test_answers_that_wait_when_the_loop_is_closed_are_written_all_the_same(path: Path) -> None:
    """As after a second Ctrl-C: the loop is gone, the writer is not."""

    async def main(journal: Journal) -> None:
        for key in range(3000):
            task = asyncio.ensure_future(journal.append(answer(key)))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.sleep(0)

    with Journal(path) as journal:
        asyncio.run(main(journal))

    assert keys_in(path) == list(range(3000))


def test_the_fixed_part_of_a_prompt_is_stored_once(path: Path) -> None:
    fixed = "long " * 20_000
    with Journal(path) as journal:
        answers = [answer(key, fixed=fixed if key % 2 else "short") for key in range(100)]
        asyncio.run(append_together(journal, answers))

    assert list(JournalReader(path)) == answers
    assert path.stat().st_size < 4 * len(fixed)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(
            "SELECT count(*) FROM shared WHERE text LIKE '%fixed%'"
        ).fetchone() == (2,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "before\0after",
        "tabs\tand\r\nlines\u2028and\u2029more",
        "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467",
        "e\u0301 is not \u00e9",
        "\ufeff\ufffe\uffff",
        "'; DROP TABLE answers; --",
        "x" * 1_000_000,
    ],
)
def test_every_text_comes_back_as_it_was(path: Path, text: str) -> None:
    one = Answer(
        Request("instances", f"key {text[:9]}", Prompt(text, text), Sampling(stop=(text[:9],))),
        Completion(text=text, finish_reason="stop", endpoint=text[:9], model=text[:9]),
    )
    with Journal(path) as journal:
        asyncio.run(append_each(journal, [one]))

    assert list(JournalReader(path)) == [one]


_TEXT = st.text(max_size=20)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False)
_COUNT = st.integers(0, 2**63 - 1)


@given(
    answers=st.lists(
        st.builds(
            Answer,
            st.builds(
                Request,
                st.sampled_from(["generation", "classification", "instances"]),
                _TEXT,
                st.builds(Prompt, _TEXT, _TEXT),
                st.builds(
                    Sampling,
                    max_output_tokens=st.integers(1, 10**6),
                    temperature=st.none() | _NUMBER,
                    stop=st.lists(_TEXT, max_size=3).map(tuple),
                    seed=st.none() | st.integers(0, 2**31),
                    choices=st.lists(_TEXT, max_size=3).map(tuple),
                ),
            ),
            st.builds(
                Completion,
                text=_TEXT,
                finish_reason=st.sampled_from(["stop", "length", "content_filter", "error"]),
                usage=st.builds(Usage, _COUNT, _COUNT, _COUNT),
                endpoint=_TEXT,
                model=_TEXT,
                cost=st.none() | _NUMBER,
                choice_logprobs=st.none() | st.dictionaries(_TEXT, _NUMBER, max_size=3),
                started_at=_NUMBER,
                seconds=_NUMBER,
                failures=st.builds(Failures, _COUNT, _COUNT, _COUNT, _COUNT),
            ),
        ),
        max_size=5,
        unique_by=lambda one: (one.request.stage, one.request.key),
    )
)
def test_every_answer_goes_into_rows_and_back(answers: list[Answer]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        prepare(connection)
        RowWriter(connection).insert(answers)

        assert list(read(connection)) == answers


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Completion(text="cut \ud83d", finish_reason="stop"), id="half of a character"),
        pytest.param(
            Completion(text="", finish_reason="stop", usage=Usage(2**63)), id="beyond 64 bits"
        ),
    ],
)
def test_what_cannot_be_stored_is_an_error_and_the_writer_lives_on(
    path: Path, bad: Completion
) -> None:
    """Nobody must wait for a thread that has died; endpoints hand out no such answers."""

    async def main(journal: Journal) -> None:
        await journal.append(answer(0))
        with pytest.raises(RunFolderError, match="could not be written"):
            await journal.append(msgspec.structs.replace(answer(1), completion=bad))
        await journal.append(answer(2))

    with Journal(path) as journal:
        asyncio.run(main(journal))

    assert keys_in(path) == [0, 2]


def test_the_same_question_is_not_answered_twice(path: Path) -> None:
    async def main(journal: Journal) -> None:
        await journal.append(answer(0, "first"))
        with pytest.raises(RunFolderError, match="could not be written"):
            await journal.append(answer(0, "second"))

    with Journal(path) as journal:
        asyncio.run(main(journal))

    assert [one.completion.text for one in JournalReader(path)] == ["first"]


# One clear line, exit code 2, and the file is left as it was.


def refused(path: Path) -> str:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(RunFolderError) as caught:
        list(_opened_and_replayed(path))
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    if before is not None:
        assert path.read_bytes() == before
        with pytest.raises(RunFolderError):
            list(JournalReader(path))
    return str(caught.value)


def test_something_that_is_no_database_is_refused_and_left_as_it_was(path: Path) -> None:
    path.write_text("dear diary\n" * 1000)

    assert refused(path) == (f"{path}: the journal cannot be opened: file is not a database")


def test_a_journal_of_another_layout_is_refused_and_left_as_it_was(path: Path) -> None:
    with Journal(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")

    assert refused(path) == (
        f"{path}: a journal of layout {VERSION + 1}; this asyncgen reads layout {VERSION}"
    )


@pytest.mark.parametrize("version", [0, VERSION, 77])
def test_a_database_of_somebody_else_is_refused_and_left_as_it_was(
    path: Path, version: int
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE contacts (name)")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()

    said = refused(path)
    assert ("of something else" if version == VERSION else f"layout {version}") in said


def test_a_path_below_a_file_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert "cannot be opened" in refused(tmp_path / "file" / "journal.db")


def test_a_path_that_is_a_folder_is_refused_and_left_as_it_was(path: Path) -> None:
    path.mkdir()

    assert "cannot be opened" in refused(path)


def _opened_and_replayed(path: Path) -> Iterable[Answer]:
    with Journal(path) as journal:
        yield from journal.replay()


def test_a_reader_says_where_no_run_is(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"no run here: journal\.db is missing"):
        JournalReader(tmp_path / "journal.db")


def _written(path: Path, number: int) -> None:
    with Journal(path) as journal:
        asyncio.run(append_together(journal, [answer(key, "x" * 500) for key in range(number)]))


@pytest.mark.parametrize("size", [0, 50, 100, 4096, 5000, 40_000])
def test_a_file_that_was_cut_off_is_damaged_or_empty_but_never_wrong(path: Path, size: int) -> None:
    """What is read before the damage is found is what was written."""
    _written(path, 200)
    with path.open("r+b") as stream:
        stream.truncate(size)

    found: list[Answer] = []
    with pytest.raises(RunFolderError, match="journal") if size else nullcontext():
        found.extend(_opened_and_replayed(path))

    assert found == [answer(key, "x" * 500) for key in range(len(found))]


def test_overwritten_pages_are_reported(path: Path) -> None:
    _written(path, 200)
    with path.open("r+b") as stream:
        for page in range(2, path.stat().st_size // 4096):
            stream.seek(4096 * page)
            stream.write(b"\xa5" * 4096)

    with pytest.raises(RunFolderError, match="damaged"):
        list(_opened_and_replayed(path))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE answers SET choice_logprobs = 'NaN' WHERE key = '1'",
        "UPDATE answers SET sampling = 77 WHERE key = '1'",
        "UPDATE shared SET text = '{' WHERE text LIKE '%fixed%'",
        "UPDATE shared SET text = 'é' WHERE text LIKE '%temperature%'",
    ],
)
def test_a_row_that_cannot_be_read_is_damage_too(path: Path, damage: str) -> None:
    _written(path, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute(damage).rowcount == 1

    with pytest.raises(RunFolderError, match="the journal is damaged"):
        list(JournalReader(path))


def test_a_check_finds_nothing_wrong_with_a_whole_journal(path: Path) -> None:
    _written(path, 200)

    assert JournalReader(path).check() == []


def test_a_check_beside_a_writer_holds_nobody_up(path: Path) -> None:
    async def main(journal: Journal) -> None:
        for key in range(20):
            await journal.append(answer(key))
            assert JournalReader(path).check() == []

    with Journal(path) as journal:
        asyncio.run(main(journal))

    assert keys_in(path) == list(range(20))


def test_a_check_names_what_is_wrong_a_line_each(path: Path) -> None:
    _written(path, 200)
    pages = path.stat().st_size // 4096
    with path.open("r+b") as stream:
        stream.seek(4096 * (pages // 2))
        stream.write(b"\xa5" * 4096)

    found = JournalReader(path).check()
    assert found
    assert all(len(line.splitlines()) == 1 for line in found)


def test_a_check_finds_rows_without_what_they_refer_to(path: Path) -> None:
    _written(path, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM shared")

    found = JournalReader(path).check()
    assert found == [f"row {row} of answers names no shared" for row in (1, 2, 3) for _ in range(4)]


def test_commits_are_made_to_survive_a_power_cut(path: Path) -> None:
    with closing(connect(path, writable=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_reader_changes_nothing(path: Path) -> None:
    _written(path, 5)
    before = {entry.name: entry.read_bytes() for entry in path.parent.iterdir()}

    assert keys_in(path) == list(range(5))
    assert {entry.name: entry.read_bytes() for entry in path.parent.iterdir()} == before


def test_an_answer_that_cannot_be_stored_takes_no_other_along(path: Path) -> None:
    """Not those of its group either, which were paid for."""
    bad = Completion(text="cut \ud83d", finish_reason="stop")
    answers = [answer(key) for key in range(40)]
    answers[17] = msgspec.structs.replace(answers[17], completion=bad)

    async def main(journal: Journal) -> list[BaseException | None]:
        return await asyncio.gather(*map(journal.append, answers), return_exceptions=True)

    with Journal(path) as journal:
        outcomes = asyncio.run(main(journal))

    assert [key for key, one in enumerate(outcomes) if one is not None] == [17]
    assert keys_in(path) == [key for key in range(40) if key != 17]


def test_answers_that_are_missing_in_the_middle_are_damage(path: Path) -> None:
    """As in a copy whose parts are of different moments."""
    _written(path, 20)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM answers WHERE number = 7")

    with pytest.raises(RunFolderError, match="the journal is damaged: answer 7 is missing"):
        list(JournalReader(path))
