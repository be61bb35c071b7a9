"""Requests, dollars and minutes follow exactly from what is known and assumed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from planning.material import FUNNEL, LOADS, NEW, basis, settings_for

from asyncgen.endpoints.prices import FREE, fixed_prices
from asyncgen.pipeline.agenda import Forecast
from asyncgen.planning.costs import Tariff, cost_of
from asyncgen.planning.estimate import estimate
from asyncgen.planning.funnel import FALLING, POOL, Seen, observed
from asyncgen.planning.loads import Load
from asyncgen.planning.pace import Ceilings, ceilings_of, seconds_by_factor
from asyncgen.planning.work import Aim, work_left
from asyncgen.settings import EndpointSettings, Price

if TYPE_CHECKING:
    from asyncgen.planning.work import Work

WORK: Work = {"generation": 10, "classification": 60, "input_first": 40, "output_first": 20}
SHOWN = 10 * 300 + 60 * 1000 + 40 * 1500 + 20 * 2000
MADE = 10 * 200 + 60 * 1 + 40 * 80 + 20 * 120
BUSY = 10 * 4 + 60 * 1 + 60 * 2


def test_acceptance_falls_as_the_pool_fills() -> None:
    pool, step, candidates = 0.0, 0.5, 0.0
    while pool < 5000:
        candidates += step / FUNNEL.acceptance_at(pool + step / 2)
        pool += step

    assert FUNNEL.acceptance_at(POOL) == pytest.approx(2**-FALLING)
    assert FUNNEL.answers_for(5000, pool=0) == pytest.approx(candidates / 10, rel=1e-6)
    assert FUNNEL.answers_for(5000, 0) > 5000 / 10


@pytest.mark.parametrize("pool", [0.0, 300.0, 50_000.0])
def test_answers_and_what_they_bring_are_each_others_inverse(pool: float) -> None:
    assert FUNNEL.kept_from(FUNNEL.answers_for(700, pool), pool) == pytest.approx(700)


def test_rates_seen_go_before_the_guess_the_more_the_oftener() -> None:
    seen = Seen(
        answers=999, candidates=7992, kept=0, decided=792, classification=79, settled=396, valid=99
    )
    found = observed(FUNNEL, seen)

    assert found.candidates_per_answer == pytest.approx((10 + 7992) / 1000)
    assert found.acceptance == pytest.approx(8 / 8000)
    assert found.classification_share == pytest.approx((0.25 * 8 + 79) / 800)
    assert found.valid_per_kept == pytest.approx((0.5 * 4 + 99) / 400)
    assert observed(FUNNEL, Seen()) == FUNNEL


def test_acceptance_is_measured_as_of_an_empty_pool() -> None:
    """A run that kept 5,000 by the very law that is assumed shows the rate that it began with."""
    candidates = round(FUNNEL.answers_for(5000, pool=0) * FUNNEL.candidates_per_answer)
    seen = Seen(answers=candidates // 10, candidates=candidates, kept=5000)

    assert observed(FUNNEL, seen).acceptance == pytest.approx(1.0, rel=1e-3)


def test_one_request_at_a_time_asks_no_more_than_the_target_needs() -> None:
    work = work_left(Aim(100, 0.0, 64, in_flight=0.0), NEW, FUNNEL, LOADS)

    assert work["generation"] == pytest.approx(FUNNEL.answers_for(200, 0))
    assert work["classification"] == pytest.approx(200)
    assert work["input_first"] == pytest.approx(150)
    assert work["output_first"] == pytest.approx(50)


def test_what_is_there_is_not_asked_again() -> None:
    standing = msgspec.structs.replace(
        NEW, tasks=40, valid=40, kept=130, undecided=20, ready=30, waiting=1
    )
    work = work_left(Aim(100, 0.0, 64, in_flight=0.0), standing, FUNNEL, LOADS)

    # 60 tasks are 120 kept, of which 50 are open.
    assert work["generation"] == pytest.approx(FUNNEL.answers_for(70, pool=130) - 1)
    assert work["classification"] == pytest.approx(120 - 30)
    assert work["input_first"] + work["output_first"] == pytest.approx(120)


@pytest.mark.parametrize(
    ("target", "look_ahead", "in_flight", "wave"),
    [
        (10, 64, 48, 22),  # as many as the forecast asks for: one instruction each, half of use,
        (10, 16, 48, 16),  # or as may look ahead,
        (10, 64, 20, 20),  # or as may be in flight
    ],
)
def test_the_first_wave_goes_out_before_anything_is_known(
    target: int, look_ahead: int, in_flight: int, wave: int
) -> None:
    standing = msgspec.structs.replace(NEW, forecast=Forecast(1.0, 0.5))
    work = work_left(Aim(target, 0.1, look_ahead, in_flight), standing, FUNNEL, LOADS)

    assert work["generation"] == wave
    assert work["generation"] > FUNNEL.answers_for(22, pool=0)


def test_what_is_in_the_air_at_the_end_is_asked_beyond_the_need_but_within_the_surplus() -> None:
    alone = work_left(Aim(1000, 0.1, 64, 0), NEW, FUNNEL, LOADS)
    many = work_left(Aim(1000, 0.1, 64, 200), NEW, FUNNEL, LOADS)

    assert many["generation"] == pytest.approx(FUNNEL.answers_for(2200, 0))
    # A generation request takes 4 s, what follows from its ten instructions 30 s.
    turn = 4 + 10 * (1 + 2)
    instances = many["input_first"] + many["output_first"]
    assert instances == pytest.approx(2000 + 200 * 20 / turn)
    assert many["classification"] == pytest.approx(2000 + 200 * 30 / turn)
    assert alone["classification"] == pytest.approx(2000)


def test_a_finished_run_takes_nothing() -> None:
    outcome = estimate(basis(standing=msgspec.structs.replace(NEW, tasks=100, valid=100)))

    assert sum(outcome.requests.values()) == 0
    assert (outcome.minutes, outcome.limiting_factor) == (0.0, None)
    assert outcome.cost.without_caching == 0


@pytest.mark.parametrize(
    ("limit", "value", "seconds"),
    [
        ("rpm", 13, 130 / 13 * 60),
        ("tpm", 1000, (SHOWN + MADE) / 1000 * 60),
        ("input_tpm", 1000, SHOWN / 1000 * 60),
        ("output_tpm", 100, MADE / 100 * 60),
        ("rpd", 40, 3 * 86_400),  # 130 requests: three nights are waited for
        ("rpd", 130, 0),
        ("max_in_flight", 4, BUSY / 4),
    ],
)
def test_each_limit_alone_takes_its_time(limit: Any, value: float, seconds: float) -> None:
    ceilings = msgspec.structs.replace(Ceilings(max_in_flight=10**9), **{limit: value})
    times = seconds_by_factor(WORK, LOADS, ceilings)

    assert times[limit] == pytest.approx(seconds)
    assert all(
        other == pytest.approx(0, abs=1e-5) for name, other in times.items() if name != limit
    )


@pytest.mark.parametrize("limit", ["rpm", "tpm", "input_tpm", "output_tpm", "rpd"])
def test_the_slowest_limit_is_named_and_decides_the_minutes(limit: Any) -> None:
    free = estimate(basis(ceilings=Ceilings(max_in_flight=64)))
    slow = estimate(basis(ceilings=Ceilings(**{"max_in_flight": 64, limit: 7})))

    assert free.limiting_factor == "max_in_flight"
    assert slow.limiting_factor == limit
    amount = {
        "rpm": sum(slow.requests.values()),
        "tpm": slow.input_tokens + slow.output_tokens,
        "input_tpm": slow.input_tokens,
        "output_tpm": slow.output_tokens,
    }
    if limit != "rpd":
        # The way of one task through the stages comes on top.
        assert slow.minutes == pytest.approx(amount[limit] / 7 + (4 + 1 + 2) / 60, rel=1e-2)


def test_limits_leave_the_air_emptier_and_so_less_is_begun_in_vain() -> None:
    free = estimate(basis(target=1000, surplus=0.5, ceilings=Ceilings(max_in_flight=256)))
    slow = estimate(basis(target=1000, surplus=0.5, ceilings=Ceilings(max_in_flight=256, rpm=30)))

    assert slow.requests["generation"] < free.requests["generation"]
    assert slow.requests["instances"] < free.requests["instances"]


def test_the_limits_of_all_endpoints_add_up_unless_one_has_none() -> None:
    entries = (
        EndpointSettings(url="http://127.0.0.1:1/v1", rpm=100, max_in_flight=3),
        EndpointSettings(url="http://127.0.0.1:2/v1", rpm=50, tpm=1000, max_in_flight=4),
    )
    settings = settings_for(input_tpm=500.0)
    settings = msgspec.structs.replace(settings, endpoint=(), endpoints=entries)

    assert ceilings_of(settings) == Ceilings(rpm=150, input_tpm=1000, max_in_flight=7)


def test_beginnings_of_1024_tokens_and_more_are_read_from_the_cache_but_for_the_first() -> None:
    price = Price(input=1.0, output=2.0, cached=0.5, cache_write=1.25)
    cost = cost_of(WORK, LOADS, [Tariff(1.0, "m", fixed_prices(price))])
    plain = SHOWN * 1.0 + MADE * 2.0
    saved = 39 * 1400 * 0.5 + 19 * 1900 * 0.5
    extra = 1400 * 0.25 + 1900 * 0.25

    assert cost.without_caching == pytest.approx(plain / 1e6)
    assert cost.with_caching == pytest.approx((plain - saved + extra) / 1e6)


def test_endpoints_get_their_shares_and_each_fills_its_own_cache() -> None:
    cheap, dear = (fixed_prices(Price(input=dollars, output=0, cached=0)) for dollars in (1, 3))
    cost = cost_of({"input_first": 100}, LOADS, [Tariff(0.75, "m", cheap), Tariff(0.25, "m", dear)])

    assert cost.without_caching == pytest.approx(1500 * (75 * 1 + 25 * 3) / 1e6)
    cached = 1400 * (74 * 1 + 24 * 3)
    assert cost.with_caching == pytest.approx((1500 * (75 * 1 + 25 * 3) - cached) / 1e6)


def test_one_endpoint_without_a_price_leaves_the_cost_unknown() -> None:
    known = fixed_prices(Price(input=1, output=1))
    outcome = estimate(basis(tariffs=(Tariff(0.5, "m", known), Tariff(0.5, "n", None)), max_cost=1))

    assert outcome.cost.with_caching is None
    assert outcome.cost.without_caching is None
    assert outcome.max_cost is None


def test_a_budget_buys_as_many_tasks_as_its_dollars_cover() -> None:
    given = basis(max_cost=0.4, spent=0.1)
    outcome = estimate(given)

    assert outcome.max_cost is not None
    assert not outcome.max_cost.suffices
    bought = outcome.max_cost.tasks
    assert 0 < bought < 100
    for tasks, fits in ((bought, True), (bought + 1, False)):
        cost = estimate(replace(given, target=tasks)).cost.without_caching
        assert cost is not None
        assert (cost <= 0.4 - 0.1) is fits


@pytest.mark.parametrize(("dollars", "suffices", "tasks"), [(1000.0, True, 100), (0.05, False, 0)])
def test_a_budget_suffices_for_all_or_for_nothing(
    *, dollars: float, suffices: bool, tasks: int
) -> None:
    budget = estimate(basis(max_cost=dollars, spent=0.1 if tasks == 0 else 0.0)).max_cost

    assert budget is not None
    assert (budget.suffices, budget.tasks) == (suffices, tasks)


def test_totals_are_those_of_the_stages() -> None:
    outcome = estimate(basis(ceilings=Ceilings(max_in_flight=1)))
    stages = outcome.stages

    assert outcome.requests == {name: one.requests for name, one in stages.items()}
    assert outcome.input_tokens == sum(one.input_tokens for one in stages.values())
    assert stages["classification"].cacheable_tokens == 0
    instances = stages["instances"]
    assert instances.input_tokens == pytest.approx(instances.requests * 1625, rel=0.01)
    assert instances.cacheable_tokens == pytest.approx(instances.requests * 1525, rel=0.01)
    assert instances.output_tokens == pytest.approx(instances.requests * 90, rel=0.01)


def test_a_judge_of_its_own_is_paid_and_waited_for_by_its_own_limits() -> None:
    """100 tasks of 200 kept, 1.5 instances of each judged, ten a minute."""
    price = Price(input=1.0, output=0.0)
    judge = Load(input_tokens=1000, fixed_tokens=900, output_tokens=0, seconds=1)
    judged = basis(
        later=("classification", "instances", "judging"),
        funnel=msgspec.structs.replace(FUNNEL, judged_per_kept=1.5),
        loads={**LOADS, "judging": judge},
        ceilings=Ceilings(max_in_flight=10**6),
        judge_ceilings=Ceilings(max_in_flight=10**6, rpm=10),
        tariffs=(
            Tariff(1.0, "m", FREE, ("generation", "classification", "instances")),
            Tariff(1.0, "j", fixed_prices(price), ("judging",)),
        ),
    )
    outcome = estimate(judged)
    requests = outcome.requests["judging"]

    assert requests == pytest.approx(1.5 * outcome.requests["instances"], abs=1)
    assert outcome.cost.without_caching == pytest.approx(requests * 1000 / 1e6, rel=0.01)
    assert outcome.limiting_factor == "rpm"
    assert outcome.minutes == pytest.approx(requests / 10, rel=0.05)
