"""Load on a scripted endpoint, in virtual time: exact figures, and no waiting."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from support.clock import run_virtually

from asyncgen.bench.endpoint import Climb, EndpointReport, at_most
from asyncgen.bench.endpoint_report import as_fields, as_text, limits, recommended
from asyncgen.bench.levels import doublings
from asyncgen.bench.load import Bounds, Load
from asyncgen.bench.purse import Purse
from asyncgen.bench.questions import questions
from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.errors import (
    AsyncgenError,
    BadAnswerError,
    EndpointRefusedError,
    LocalServerError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    RequestRejectedError,
    RunPausedError,
    SettingsError,
    TimedOutError,
    UnreachableError,
)
from asyncgen.records import Completion, Prompt, RateHint, Reply, Request, Sampling, Usage
from asyncgen.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asyncgen.bench.levels import Level


def asking() -> Iterator[Request]:
    for number in itertools.count():
        yield Request("generation", str(number), Prompt("", str(number)), Sampling())


def answered(**fields: Any) -> Completion:
    usage = Usage(input_tokens=100, output_tokens=10)
    return Completion(text="A", finish_reason="stop", usage=usage, **fields)


class Queueing(ScriptedEndpoint):
    """Computes ``knee`` answers at a time, 0.5 s each; more wait their turn."""

    def __init__(self, script: Callable[[Request, int], Any], knee: int = 1000) -> None:
        super().__init__(script, delay=lambda _request, _attempt: 0.5, worst_cost=1.0)
        self.places = anyio.Semaphore(knee)

    async def send(self, request: Request) -> Reply:
        """Answer when its turn has come."""
        async with self.places:
            return await super().send(request)


def climbed(
    script: Callable[[Request, int], Any],
    levels: tuple[int, ...],
    *,
    knee: int = 1000,
    until: float | None = None,
    **bounds: Any,
) -> tuple[EndpointReport, list[Level], AsyncgenError | None]:
    """Measure to the end, or for ``until`` seconds; return what came of it, and what was told."""

    async def main() -> tuple[EndpointReport, list[Level], AsyncgenError | None]:
        endpoint = Queueing(script, knee)
        clock = asyncio.get_running_loop().time
        load = Load(endpoint, asking(), Bounds(**bounds), clock)
        climb, told = Climb(endpoint, levels, load), list["Level"]()
        problem: AsyncgenError | None = None
        with anyio.move_on_after(until):
            try:
                await climb.run(told.append)
            except AsyncgenError as error:
                problem = error
        return climb.report(), told, problem

    return run_virtually(main)


def always(outcome: Any) -> Callable[[Request, int], Any]:
    """Do the same with every request."""
    return lambda _request, _attempt: outcome


def after(number: int, then: Any, before: Any = None) -> Callable[[Request, int], Any]:
    """Answer until a request, from it on do something else."""
    return lambda request, _: then if int(request.key) >= number else before or answered()


def test_throughput_latency_and_knee_are_exactly_those_of_the_endpoint() -> None:
    report, told, problem = climbed(always(answered()), doublings(256), knee=8)

    assert problem is None
    assert [level.in_flight for level in told] == [1, 2, 4, 8, 16, 32]
    assert [level.requests_per_s for level in told] == pytest.approx([2, 4, 8, 16, 16, 16])
    assert [level.output_tokens_per_s for level in told[:2]] == pytest.approx([20, 40])
    assert [level.input_tokens_per_s for level in told[:2]] == pytest.approx([200, 400])
    assert [level.p50 for level in told] == pytest.approx([0.5, 0.5, 0.5, 0.5, 1.0, 2.0])
    assert told[0].seconds_per_output_token == pytest.approx(0.05)
    assert (report.knee, report.stopped) == (8, "saturated")
    assert report.levels == tuple(told)
    assert report.requests == 1 + sum(level.requests for level in told)


def test_a_level_is_neither_cheaper_nor_dearer_for_its_uneven_end() -> None:
    # The last answers come long after the level's 0.7 seconds.
    report, _, _ = climbed(always(answered()), (3,), seconds=0.7)

    assert report.levels[0].requests == 6
    assert report.levels[0].requests_per_s == pytest.approx(6.0)


def test_the_first_refusal_ends_all_asking_and_is_told() -> None:
    hint = RateHint(meter="requests", window=60, limit=300, remaining=0, reset=1.0)
    refusal = RateLimitedError("too fast", retry_after=2.5)
    refusal.hints = (hint,)

    report, told, problem = climbed(after(41, refusal), doublings(64))

    assert problem is None
    assert report.stopped == "rate_limited"
    # One before the levels; 20 at one in flight, of which each takes half a second.
    assert [(level.in_flight, level.requests) for level in told] == [(1, 20), (2, 22)]
    assert (told[-1].answered, told[-1].rate_limited, told[-1].errors) == (20, 2, {})
    first = report.first_refusal
    assert first is not None
    assert (first.in_flight, first.requests, first.retry_after) == (2, 43, 2.5)
    assert first.after == pytest.approx(0.5 + 10 + 5.5)
    assert first.requests_per_s == pytest.approx(22 / 5.5)
    assert first.in_a_minute == 43
    assert report.knee == 1
    # Throughput still grew: one in flight would not use the limit.
    assert recommended(report) == {"max_in_flight": 2, "rpm": 300}


def test_before_a_refusal_the_last_minute_is_counted() -> None:
    report, _, _ = climbed(after(300, RateLimitedError("no")), (1,), seconds=1000)

    first = report.first_refusal
    assert first is not None
    assert first.after == pytest.approx(150.5)
    assert first.in_a_minute == 120
    assert first.requests_per_s == pytest.approx(2)


def test_a_burst_is_told_as_if_it_took_a_second() -> None:
    report, _, _ = climbed(after(1, RateLimitedError("no")), (8,))

    assert report.first_refusal is not None
    assert report.first_refusal.requests_per_s == 8


def test_failures_are_counted_by_class_and_not_retried() -> None:
    failures = {
        "3": OverloadedError("busy"),
        "5": TimedOutError("slow", phase="total"),
        "6": BadAnswerError("empty"),
        "9": UnreachableError("gone"),
        "12": RequestRejectedError("too long"),
        "14": OverloadedError("busy"),
    }
    report, told, problem = climbed(lambda r, _: failures.get(r.key) or answered(), (2,))

    assert problem is None
    assert told[0].errors == {
        "bad_answer": 1,
        "overloaded": 2,
        "rejected": 1,
        "timed_out": 1,
        "unreachable": 1,
    }
    assert (told[0].requests, told[0].answered, report.requests) == (40, 34, 41)


def test_an_endpoint_that_fails_for_good_is_not_asked_for_all_of_the_level() -> None:
    report, told, _ = climbed(after(10, OverloadedError("down")), doublings(64), seconds=60)

    assert report.stopped == "failing"
    assert told[0].requests == 9 + 20


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnreachableError("nobody there"), EndpointRefusedError),
        (EndpointRefusedError("wrong key"), EndpointRefusedError),
        (RequestRejectedError("too long"), EndpointRefusedError),
        (QuotaError("no credit"), RunPausedError),
        (RateLimitedError("too fast"), RunPausedError),
        (LocalServerError("died"), LocalServerError),
    ],
)
def test_what_refuses_the_first_request_gets_no_second(
    error: AsyncgenError, kind: type[AsyncgenError]
) -> None:
    report, told, problem = climbed(always(error), doublings(64))

    assert type(problem) is kind
    assert str(error) in str(problem)
    assert (report.requests, report.levels, told) == (1, (), [])


def test_a_first_request_that_fails_by_chance_ends_nothing() -> None:
    def script(request: Request, _: int) -> Any:
        return BadAnswerError("empty") if request.key == "0" else answered()

    report, told, problem = climbed(script, (1, 2))

    assert problem is None
    assert report.stopped == "levels"
    assert [level.errors for level in told] == [{}, {}]


def test_where_nothing_is_ever_answered_the_last_failure_is_told() -> None:
    _, _, problem = climbed(always(OverloadedError("HTTP 503: down")), doublings(64))

    assert type(problem) is RunPausedError
    assert str(problem) == "nothing was answered: HTTP 503: down"


@pytest.mark.parametrize("error", [QuotaError("no credit"), EndpointRefusedError("revoked")])
def test_a_refusal_for_good_in_the_middle_keeps_what_was_measured(error: AsyncgenError) -> None:
    report, told, problem = climbed(after(30, error), doublings(64))

    assert problem is not None
    assert str(problem) == str(error)
    assert report.stopped == "refused"
    assert [level.answered for level in told] == [20, 9]
    assert report.levels == tuple(told)


def test_the_cost_stays_below_the_bound_with_what_is_in_the_air_at_its_worst() -> None:
    # An attempt may cost a dollar, and costs an eighth of it.
    report, told, problem = climbed(always(answered(cost=0.125)), (1,), max_cost=5, seconds=1000)
    assert (problem, report.stopped, told[0].answered) == (None, "max_cost", 32)
    assert report.cost == 4.125

    report, told, problem = climbed(always(answered(cost=1.0)), (8,), max_cost=5.0)
    assert (problem, report.stopped, told[0].answered) == (None, "max_cost", 4)
    assert report.cost == pytest.approx(5.0)


def test_a_lost_answer_that_may_be_billed_counts_at_its_worst_and_a_refused_one_not() -> None:
    lost, refused = TimedOutError("slow", phase="total"), OverloadedError("busy")

    def script(request: Request, _: int) -> Any:
        return {"1": lost, "2": refused}.get(request.key) or answered(cost=0.1)

    report, _, _ = climbed(script, (1,), max_requests=5)

    assert report.cost == pytest.approx(1.0 + 3 * 0.1)


def test_what_was_dropped_counts_at_its_worst() -> None:
    report, _, _ = climbed(always(answered(cost=0.0)), (4,), until=0.75)

    assert report.cost == pytest.approx(4.0)


def test_the_number_of_requests_is_never_exceeded() -> None:
    report, told, problem = climbed(always(answered()), doublings(64), max_requests=50)

    assert problem is None
    assert (report.stopped, report.requests) == ("max_requests", 50)
    assert [level.requests for level in told] == [20, 29]
    assert climbed(always(answered()), (4,), max_requests=1)[0].levels == ()


def test_a_level_that_is_broken_off_is_told_by_what_was_answered() -> None:
    report, told, _ = climbed(always(answered()), doublings(64), until=13.25)

    assert report.stopped == "interrupted"
    assert len(told) == 1
    assert [(x.in_flight, x.answered) for x in report.levels] == [(1, 20), (2, 10)]
    assert report.levels[1].requests_per_s == pytest.approx(4.0)
    assert climbed(always(answered()), (1,), until=0.25)[0].levels == ()


def test_certain_words_of_a_limit_are_not_replaced_by_uncertain_ones() -> None:
    def script(request: Request, _: int) -> Reply:
        first = request.key == "1"
        hint = RateHint(
            meter="tokens", window=60, limit=9000 if first else 10, remaining=1, certain=first
        )
        day = RateHint(meter="requests", window=86_400, limit=1440, remaining=7)
        return Reply(answered(), (hint, day))

    report, _, _ = climbed(script, (1,))

    assert limits(report.hints) == {
        "tpm": {"limit": 9000, "certain": True},
        "rpd": {"limit": 1440, "certain": True},
    }
    assert recommended(report) == {"max_in_flight": 1, "tpm": 9000, "rpd": 1440}


def test_the_lower_of_a_second_and_a_minute_counts_and_guesses_are_not_recommended() -> None:
    hints = (
        RateHint(meter="requests", window=1, limit=10, certain=False),
        RateHint(meter="requests", window=60, limit=700),
        RateHint(meter="tokens", window=86_400, limit=9),
        RateHint(meter="input_tokens", window=60, limit=5),
        RateHint(meter="output_tokens", window=60),
    )
    found = limits(hints)

    assert found == {
        "rpm": {"limit": 600, "certain": False},
        "input_tpm": {"limit": 5, "certain": True},
    }


def test_everything_is_told_in_fields_and_in_words() -> None:
    refusal = RateLimitedError("slow down", retry_after=1.5)
    report, _, _ = climbed(after(41, refusal), (1, 2))
    fields, text = as_fields(report), as_text(report)

    assert list(fields) == [
        *("endpoint", "levels", "knee", "first_429", "limits", "recommended", "requests"),
        *("cost", "stopped"),
    ]
    assert {
        *("in_flight", "requests", "requests_per_s", "output_tokens_per_s"),
        *("input_tokens_per_s", "p50_s", "p99_s", "errors", "rate_limited"),
    } <= fields["levels"][0].keys()
    assert fields["limits"] is None
    assert fields["first_429"]["retry_after_s"] == 1.5
    assert (
        "first 429    at 2 in flight and 4.0 requests/s, 43 of 43 requests within a minute; "
        in text
    )
    assert "it asked to wait 1.5 s" in text
    assert "recommended  --max-in-flight 1\n" in text

    nothing, _, _ = climbed(after(1, refusal), (4,))
    assert nothing.knee is None
    assert "knee         not found" in as_text(nothing)


def test_a_purse_gives_no_more_than_it_holds() -> None:
    purse = Purse(limit=1.0)

    assert [purse.take(0.4) for _ in range(3)] == [True, True, False]
    purse.settle(0.4, 0.1)
    assert purse.take(0.4)
    assert not purse.take(0.4)
    assert purse.known
    assert Purse().take(None)


def test_what_it_may_come_to_is_known_before_anything_is_asked() -> None:
    request = next(asking())
    dear = ScriptedEndpoint(always("A"), worst_cost=0.25)
    unknown = ScriptedEndpoint(always("A"), worst_cost=None)

    assert at_most(dear, request, (1, 2), Bounds()) == (201, 50.25)
    assert at_most(dear, request, (1, 2), Bounds(max_requests=7, max_cost=1.5)) == (7, 1.5)
    assert at_most(unknown, request, (1,), Bounds()) == (101, None)
    with pytest.raises(SettingsError, match="no price is known"):
        at_most(unknown, request, (1,), Bounds(max_cost=1.0))
    with pytest.raises(SettingsError, match=r"one request may cost \$0\.25"):
        at_most(dear, request, (1,), Bounds(max_cost=0.2))


@pytest.mark.parametrize("characters", [1, 1500, 30_000])
def test_no_two_prompts_are_alike_but_their_beginning_is(characters: int) -> None:
    asked = list(itertools.islice(questions(Settings(), characters, run=1), 200))

    assert len({request.prompt.fixed for request in asked}) == 1
    assert len({request.prompt.variable for request in asked}) == 200
    longest = max(request.prompt.characters for request in asked)
    assert longest <= max(1.01 * characters, 1200)
    if characters > 1000:
        assert min(request.prompt.characters for request in asked) > 0.8 * characters


def test_another_run_asks_other_prompts_and_the_same_run_the_same() -> None:
    first, second, again = (next(questions(Settings(), 1500, run)) for run in (1, 2, 1))

    assert first == again
    assert first.prompt.variable != second.prompt.variable
