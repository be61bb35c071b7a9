"""Shared answers: found by what was asked of which model, by several processes at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import pytest
from journal.material import answer, start

from asyncgen.cache import AnswerCache, Sharing
from asyncgen.cache.store import key_of
from asyncgen.errors import CacheError
from asyncgen.journal import Journal
from asyncgen.records import Failures

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.records import Answer, FinishReason


def shared(cache: AnswerCache, *answers: Answer) -> list[str]:
    """Give answers of one model to others; return what was said of it."""
    said: list[str] = []
    with Sharing(cache, said.append) as sharing:
        for one in answers:
            sharing.keep(one, "m")
    return said


def test_an_answer_comes_back_as_it_was_but_for_what_it_cost_to_get(tmp_path: Path) -> None:
    one = answer(3)
    with AnswerCache(tmp_path / "made" / "anew") as cache:
        assert shared(cache, one) == []
    with AnswerCache(tmp_path / "made" / "anew") as cache, Sharing(cache, print) as sharing:
        found = sharing.recall(one.request, ["m"])

    assert found == msgspec.structs.replace(one.completion, recalled=True, failures=Failures())
    assert found is not None
    assert found.spent == 0


def test_only_what_is_asked_and_of_whom_decides(tmp_path: Path) -> None:
    """Neither the stage nor the request's name in its run; but all of prompt and sampling."""
    one = answer(3)
    asked = one.request
    replace = msgspec.structs.replace
    same = replace(asked, stage="instances", key="another")
    others = [
        replace(asked, prompt=replace(asked.prompt, **change))
        for change in (
            {"fixed": "other"},
            {"variable": "other"},
            {"turns": (("a", "b"),)},
            {"api": "completions"},
            {"continues": True},
        )
    ] + [
        replace(asked, sampling=replace(asked.sampling, **change))
        for change in ({"seed": 4}, {"temperature": 0.8}, {"max_output_tokens": 9}, {"stop": ()})
    ]
    with AnswerCache(tmp_path) as cache:
        shared(cache, one)
        with Sharing(cache, print) as sharing:
            assert sharing.recall(same, ["m"]) is not None
            assert sharing.recall(asked, ["other", "m"]) is not None
            assert sharing.recall(asked, ["other"]) is None
            assert [sharing.recall(other, ["m"]) for other in others] == [None] * len(others)


def test_of_two_answers_to_one_request_the_first_stays(tmp_path: Path) -> None:
    with AnswerCache(tmp_path) as cache:
        shared(cache, answer(1, "first"), answer(1, "second"))
        shared(cache, answer(1, "third"))
        found = cache.find(key_of(answer(1).request, "m"))

    assert found is not None
    assert found.text == "first"


@pytest.mark.parametrize(
    ("reason", "is_shared"),
    [("stop", True), ("length", True), ("content_filter", False), ("error", False)],
)
def test_what_is_no_answer_of_the_model_is_not_shared(
    tmp_path: Path, reason: FinishReason, *, is_shared: bool
) -> None:
    one = answer(1)
    one = msgspec.structs.replace(
        one, completion=msgspec.structs.replace(one.completion, finish_reason=reason)
    )
    with AnswerCache(tmp_path) as cache:
        shared(cache, one)
        assert (cache.find(key_of(one.request, "m")) is not None) == is_shared


def test_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    """It has no patience at all: it would say that the file is locked, and find nothing."""
    with AnswerCache(tmp_path) as cache, closing(sqlite3.connect(cache.path)) as other:
        shared(cache, answer(1))
        other.execute("BEGIN EXCLUSIVE")
        other.execute("DELETE FROM answers")

        assert cache.find(key_of(answer(1).request, "m")) is not None


def test_a_damaged_answer_is_told_once_and_the_run_does_without(tmp_path: Path) -> None:
    said: list[str] = []
    with AnswerCache(tmp_path) as cache:
        shared(cache, answer(1), answer(2))
        with closing(sqlite3.connect(cache.path)) as other, other:
            other.execute("UPDATE answers SET completion = '{'")
        with Sharing(cache, said.append) as sharing:
            assert sharing.recall(answer(1).request, ["m"]) is None
            assert sharing.recall(answer(2).request, ["m"]) is None
            sharing.keep(answer(3), "m")

    assert len(said) == 1
    assert said[0].startswith(f"{cache.path}: no longer shared (")
    assert said[0].endswith("the run goes on without")


def _garbage(folder: Path) -> None:
    (folder / "answers.db").write_bytes(b"no database" * 1000)


def _foreign(folder: Path) -> None:
    with Journal(folder / "answers.db"):
        """A database, but of something else."""


def _later(folder: Path) -> None:
    with AnswerCache(folder):
        """As this version makes it."""
    with closing(sqlite3.connect(folder / "answers.db")) as connection:
        connection.execute("PRAGMA user_version = 99")


def _folder(folder: Path) -> None:
    (folder / "answers.db").mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_garbage, "not a database"),
        (_foreign, "a database of something else"),
        (_later, "a cache of layout 99; this asyncgen uses layout 1"),
        (_folder, "cannot be used as a cache"),
    ],
)
def test_what_is_no_cache_is_refused_in_one_line_and_left_as_it_was(
    tmp_path: Path, spoil: object, said: str
) -> None:
    assert callable(spoil)
    spoil(tmp_path)
    path = tmp_path / "answers.db"
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(CacheError) as caught:
        AnswerCache(tmp_path)

    assert said in str(caught.value)
    assert "--cache none" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not path.is_file() or path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"file/below: cannot be made or written to \(Not a dir"):
        AnswerCache(tmp_path / "file" / "below")


_SHARE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journal.material import answer
from asyncgen.cache import AnswerCache, Sharing
from asyncgen.cache.store import key_of

sys.stdin.readline()
said = []
folder = Path(sys.argv[1])
for number in range(30):
    with AnswerCache(folder / str(number)):
        pass
with AnswerCache(folder) as cache:
    with Sharing(cache, said.append) as sharing:
        for key in range(300):
            if sharing.recall(answer(key).request, ["m"]) is None:
                sharing.keep(answer(key, f"by {sys.argv[3]}"), "m")
    print(said, sum(cache.find(key_of(answer(key).request, "m")) is None for key in range(300)))
"""

_KEEP_ON = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journal.material import answer
from asyncgen.cache import AnswerCache
from asyncgen.cache.store import key_of

with AnswerCache(Path(sys.argv[1])) as cache:
    for key in range(10**9):
        one = answer(key, "x" * (key * 37 % 5000))
        cache.add([(key_of(one.request, "m"), "m", one.completion)])
        print(key, flush=True)
"""


@pytest.fixture
def tests_folder(request: pytest.FixtureRequest) -> Path:
    return request.config.rootpath / "tests"


def test_processes_that_make_and_fill_a_cache_at_once_do_not_hinder_each_other(
    tmp_path: Path, tests_folder: Path
) -> None:
    folder = tmp_path / "cache"
    processes = [start(_SHARE, folder, tests_folder, number) for number in range(5)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=50)[0] for process in processes]

    assert said == ["[] 0\n"] * 5
    with AnswerCache(folder) as cache, closing(sqlite3.connect(cache.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM answers").fetchone() == (300,)


def test_after_a_kill_every_answer_that_was_written_is_found(
    tmp_path: Path, tests_folder: Path
) -> None:
    with start(_KEEP_ON, tmp_path, tests_folder) as writer:
        assert writer.stdout is not None
        written = [int(writer.stdout.readline()) for _ in range(100)]
        writer.kill()
        written += [int(line) for line in writer.stdout.readlines() if line.endswith("\n")]

    with AnswerCache(tmp_path) as cache:
        found = [cache.find(key_of(answer(key).request, "m")) for key in written]
    assert [one and len(one.text) for one in found] == [key * 37 % 5000 for key in written]
