"""What a run may cost is never exceeded, whatever is in the air."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from engine.provider import Provider
from engine.trial import Trial
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.engine import Adjustment
from asyncgen.engine.budget import Budget
from asyncgen.errors import EndpointRefusedError, RunPausedError, TimedOutError

if TYPE_CHECKING:
    from asyncgen.engine import Engine


def test_a_run_spends_no_more_than_it_may() -> None:
    """Each answer costs a cent, at the worst three: the last cents cannot be used."""
    provider = Provider(price=0.03, cost=0.01)
    result = Trial([provider], seconds=None, max_cost=1.0).run()

    assert isinstance(result.error, RunPausedError)
    assert "raise --max-cost" in str(result.error)
    assert 0.97 <= result.snapshot.spent <= 1.0
    assert result.snapshot.in_air == 0
    assert len(result.answers) == round(result.snapshot.spent / 0.01)


def test_what_was_spent_before_counts() -> None:
    result = Trial([Provider(price=0.03, cost=0.01)], seconds=None, max_cost=1.0, spent=0.9).run()

    assert isinstance(result.error, RunPausedError)
    assert len(result.answers) == 8
    assert result.snapshot.spent == pytest.approx(0.98)


def test_an_answer_that_was_lost_counts_at_its_worst_and_is_told_with_the_one_that_comes() -> None:
    tried: set[str] = set()
    provider = Provider(price=0.03, cost=0.01)

    def hang_once(_moment: float, request: object) -> TimedOutError | None:
        key = getattr(request, "key", "")
        if key in tried or key not in {"1", "2"}:
            return None
        tried.add(key)
        return TimedOutError("hangs", phase="stalled")

    provider.fault = hang_once
    result = Trial([provider], seconds=None, total=10, max_cost=1.0).run()

    lost = {answer.request.key: answer.completion.lost_cost for _, answer in result.answers}
    assert {key for key, cost in lost.items() if cost} == {"1", "2"}
    assert lost["1"] == 0.03
    assert result.snapshot.spent == pytest.approx(10 * 0.01 + 2 * 0.03)
    assert result.snapshot.lost == pytest.approx(0.06)
    assert result.snapshot.possibly_billed == 2


def test_without_a_cap_what_was_lost_is_told_all_the_same() -> None:
    provider = Provider(price=0.03, cost=0.01)
    tried: list[float] = []

    def hang_first(moment: float, _request: object) -> TimedOutError | None:
        tried.append(moment)
        return TimedOutError("hangs", phase="stalled") if len(tried) == 1 else None

    provider.fault = hang_first
    result = Trial([provider], seconds=None, total=10).run()

    assert sum(answer.completion.lost_cost for _, answer in result.answers) == 0.03


def test_a_model_without_a_price_cannot_have_a_cap() -> None:
    result = Trial([Provider(price=None)], seconds=None, max_cost=1.0).run()

    assert isinstance(result.error, EndpointRefusedError)
    assert "price" in str(result.error)


def test_a_cap_set_in_mid_run_counts_what_is_in_the_air_already() -> None:
    provider = Provider(price=0.03, cost=0.03, latency=lambda _rng: 1.0)
    seen: list[float] = []

    async def cap_it(engine: Engine) -> None:
        await asyncio.sleep(0.5)
        engine.adjust(Adjustment(max_cost=1.0))
        seen.append(engine.snapshot().in_air)

    trial = Trial([provider], seconds=None, max_in_flight=8, total=500, meanwhile=cap_it)
    result = trial.run()

    assert seen == [pytest.approx(8 * 0.03)]
    assert isinstance(result.error, RunPausedError)
    assert 0.97 < result.snapshot.spent <= 1.0


def test_a_cap_is_refused_in_mid_run_where_no_price_is_known_and_the_run_goes_on() -> None:
    provider = Provider(price=None, latency=lambda _rng: 1.0)
    caught: list[str] = []

    async def cap_it(engine: Engine) -> None:
        await asyncio.sleep(0.5)
        try:
            engine.adjust(Adjustment(max_cost=1.0))
        except EndpointRefusedError as error:
            caught.append(str(error))

    result = Trial([provider], seconds=None, total=50, meanwhile=cap_it).run()

    assert "price" in caught[0]
    assert len(result.answers) == 50
    assert result.error is None


def test_a_cap_that_is_raised_in_time_lets_the_run_go_on() -> None:
    async def raise_it(engine: Engine) -> None:
        await asyncio.sleep(0.1)
        engine.adjust(Adjustment(max_cost=1.0))

    provider = Provider(price=0.03, cost=0.01, latency=lambda _rng: 1.0)
    result = Trial([provider], seconds=None, max_cost=0.1, total=50, meanwhile=raise_it).run()

    assert result.error is None
    assert len(result.answers) == 50


@given(
    cap=st.floats(0.001, 10),
    costs=st.lists(st.tuples(st.floats(0.0001, 1), st.floats(0, 1)), max_size=60),
    seed=st.integers(0, 1000),
)
def test_no_order_of_answers_makes_a_budget_exceed_its_cap(
    cap: float, costs: list[tuple[float, float]], seed: int
) -> None:
    rng = random.Random(seed)
    budget = Budget(cap)
    open_: list[tuple[float, float]] = []
    for worst, share in costs:
        if budget.fits(worst):
            budget.reserve(worst)
            open_.append((worst, share))
        if open_ and rng.random() < 0.5:
            gone, part = open_.pop(rng.randrange(len(open_)))
            if rng.random() < 0.2:
                budget.lose(gone)
            else:
                budget.settle(gone, gone * part)
        assert budget.spent + budget.in_air <= cap + 1e-6
