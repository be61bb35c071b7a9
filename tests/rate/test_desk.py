"""Raters get every response once, in an order of their own, and nothing they say is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rate.material import row, write_rows, write_study

from asyncgen.errors import RunFolderError
from asyncgen.rate.desk import Desk
from asyncgen.rate.job import database, opened
from asyncgen.rate.responses import read_responses
from asyncgen.rate.sheet import order, rater_key
from asyncgen.rate.store import RatingStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RatingStore]:
    with opened(tmp_path / "out", read_responses(write_study(tmp_path)), None) as (made, added):
        assert added == 16
        yield made


def _sequence(store: RatingStore, name: str, seed: int = 0) -> list[int]:
    return order(store.responses(), rater_key(name), seed)


def test_an_order_follows_from_the_rater_and_the_seed_alone(store: RatingStore) -> None:
    first = _sequence(store, "Ada")

    assert sorted(first) == sorted(store.responses())
    assert (
        first
        == _sequence(store, " ada  ")
        == order(dict(reversed(store.responses().items())), "ada", 0)
    )
    assert first != _sequence(store, "Bob")
    assert first != _sequence(store, "Ada", seed=1)


def test_an_order_stays_the_same_in_every_version() -> None:
    """Whoever has the seed and the names can say who saw what, when."""
    from asyncgen.rate.responses import Response

    given = {
        number: Response(task=f"task_{number // 2}", model=f"m{number % 2}", text="")
        for number in range(8)
    }
    assert order(given, "ada", 0) == [6, 7, 2, 3, 0, 1, 4, 5]


def test_models_of_a_task_come_after_each_other_and_in_both_orders(store: RatingStore) -> None:
    responses = store.responses()
    seen = [responses[number] for number in _sequence(store, "Ada")]

    pairs = list(zip(seen[::2], seen[1::2], strict=True))
    assert all(one.task == other.task for one, other in pairs)
    assert len({one.model for one, _ in pairs}) == 2


def test_a_rater_rates_all_and_each_once(store: RatingStore) -> None:
    desk = Desk(store)
    turn = desk.begin("Ada")
    seen: list[int] = []
    while turn.item is not None:
        seen.append(turn.item.number)
        assert turn.rated == len(seen) - 1
        turn = desk.rate("Ada", turn.item.number, "ABCD"[len(seen) % 4])

    assert seen == _sequence(store, "Ada")
    assert turn.rated == turn.total == 16
    assert turn.counts == {"A": 4, "B": 4, "C": 4, "D": 4}


def test_nothing_that_is_shown_names_a_model(store: RatingStore) -> None:
    import msgspec

    shown = msgspec.json.encode(Desk(store).begin("Ada")).decode()

    assert "base model" not in shown
    assert "tuned" not in shown


def test_undo_goes_back_as_often_as_one_likes_and_keeps_the_history(store: RatingStore) -> None:
    desk = Desk(store)
    turn = desk.begin("Ada")
    first, second = _sequence(store, "Ada")[:2]
    desk.rate("Ada", first, "A")
    turn = desk.rate("Ada", second, "B")
    assert turn.last == second
    turn = desk.undo("Ada", second)
    assert turn.item is not None
    assert (turn.item.number, turn.last, turn.rated) == (second, first, 1)
    # A request that is sent again, for no answer came, takes back nothing more.
    assert desk.undo("Ada", second) == turn
    turn = desk.undo("Ada", first)
    assert turn.item is not None
    assert (turn.item.number, turn.last, turn.rated) == (first, None, 0)
    turn = desk.rate("Ada", first, "C")

    assert store.given(1) == {first: "C"}
    assert desk.kept == 1
    rows = store._connection.execute("SELECT response, level FROM ratings ORDER BY number")
    assert rows.fetchall() == [
        (first, "A"),
        (second, "B"),
        (second, None),
        (first, None),
        (first, "C"),
    ]


def test_a_rating_sent_twice_is_kept_once(store: RatingStore) -> None:
    desk = Desk(store)
    desk.begin("Ada")
    first = _sequence(store, "Ada")[0]

    assert desk.rate("Ada", first, "A") == desk.rate("Ada", first, "A")
    assert store._connection.execute("SELECT count(*) FROM ratings").fetchone() == (1,)


def test_raters_have_their_own_progress(store: RatingStore) -> None:
    desk = Desk(store)
    for name in ("Ada", "Bob"):
        desk.begin(name)
    first = _sequence(store, "Ada")[0]
    desk.rate("Ada", first, "A")

    assert desk.begin("  ADA").rated == 1
    assert desk.begin("Bob").rated == 0
    assert [rater.name for rater in store.raters()] == ["Ada", "Bob"]


@pytest.mark.parametrize("name", ["", "  \u200b ", "x" * 61])
def test_a_name_has_letters_and_not_too_many(store: RatingStore, name: str) -> None:
    with pytest.raises(ValueError, match="1 to 60"):
        Desk(store).begin(name)


def test_what_nobody_was_asked_is_refused(store: RatingStore) -> None:
    desk = Desk(store)
    with pytest.raises(ValueError, match="nobody"):
        desk.rate("Eve", 1, "A")
    desk.begin("Ada")
    with pytest.raises(ValueError, match="no response 99"):
        desk.rate("Ada", 99, "A")
    with pytest.raises(ValueError, match="no level 'E'"):
        desk.rate("Ada", 1, "E")


def test_responses_added_later_leave_orders_and_ratings_as_they_are(
    store: RatingStore, tmp_path: Path
) -> None:
    before = _sequence(store, "Ada")
    desk = Desk(store)
    desk.begin("Ada")
    desk.rate("Ada", before[0], "B")
    more = write_rows(tmp_path / "more.jsonl", [row(number, "third") for number in range(8)])

    assert store.add(read_responses([more])) == 8
    assert [number for number in _sequence(store, "Ada") if number in before] == before
    assert store.given(1) == {before[0]: "B"}


def test_a_study_refuses_other_texts_under_the_same_names(
    store: RatingStore, tmp_path: Path
) -> None:
    other = write_rows(tmp_path / "other.jsonl", [row(0, "base model", response="another")])
    with pytest.raises(RunFolderError, match="the response of 'base model' to task 'task_0' is"):
        store.add(read_responses([other]))
    other = write_rows(tmp_path / "other.jsonl", [row(0, "new", reference="another")])
    with pytest.raises(RunFolderError, match="task 'task_0' is there already and differs"):
        store.add(read_responses([other]))
    assert len(store.responses()) == 16


def test_the_seed_stands_when_somebody_has_begun(store: RatingStore) -> None:
    store.set_seed(3)
    Desk(store).begin("Ada")
    store.set_seed(3)
    with pytest.raises(RunFolderError, match="raters have begun with --seed 3"):
        store.set_seed(4)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    database(tmp_path).write_bytes(b"no database at all, but long enough to be looked at" * 9)
    with pytest.raises(RunFolderError, match="cannot be used"):
        RatingStore(database(tmp_path), writable=True)


def test_only_one_process_holds_a_study(store: RatingStore) -> None:
    with pytest.raises(RunFolderError, match="in use"), opened(store.path.parent, None, None):
        pass
