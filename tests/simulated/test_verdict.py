"""The verdict: what the provider counts of its client, by a clock that is moved."""

from __future__ import annotations

import pytest
from simulated.harness import chat, options

from asyncgen.endpoints.simulated import Allowance, Step, verdict_text
from asyncgen.endpoints.simulated.provider import Provider


def ask(provider: Provider, said: str, now: float, *, delivered: bool = True) -> str:
    """Ask and be answered at once; return what became of it."""
    plan = provider.receive("chat", chat(said), now, 1e9)
    provider.finish(plan, now, delivered=delivered)
    return plan.outcome


def test_a_client_that_keeps_to_a_limit_uses_all_of_it_and_provokes_nothing() -> None:
    provider = Provider(options(allowance=Allowance(rpm=600)), 0.0)
    for number in range(600):
        ask(provider, f"{number}", 5.0 + number * 0.1)
    verdict = provider.verdict(500.0)

    assert verdict.limits["requests"].share == pytest.approx(1.0, abs=0.01)
    assert verdict.refused == {}
    assert verdict.answered == verdict.contents == 600
    assert verdict.seconds == pytest.approx(59.9)


def test_the_share_is_of_what_was_granted_while_limits_changed() -> None:
    provider = Provider(options(allowance=Allowance(rpm=600)), 0.0)
    for number in range(300):
        ask(provider, f"{number}", number * 0.1)
    provider.change_limits(Allowance(rpm=300), 30.0)
    for number in range(150):
        ask(provider, f"later {number}", 30.0 + number * 0.2)

    assert provider.verdict(60.0).limits["requests"].share == pytest.approx(1.0, abs=0.02)


def test_429s_are_counted_by_the_limit_that_gave_them() -> None:
    provider = Provider(options(allowance=Allowance(rpm=60)), 0.0)
    outcomes = [ask(provider, f"{number}", 0.0) for number in range(4)]
    verdict = provider.verdict(0.0)

    assert outcomes == ["answered", "429-requests", "429-requests", "429-requests"]
    assert verdict.refused == {"requests": 3}
    assert verdict.refused_share == 0.75
    assert verdict.outcomes == {"answered": 1, "429-requests": 3}


def test_a_retry_before_its_time_is_early_and_one_after_it_is_not() -> None:
    provider = Provider(options(allowance=Allowance(rpm=60)), 0.0)
    ask(provider, "first", 0.0)
    assert ask(provider, "second", 0.0) == "429-requests"
    assert ask(provider, "second", 0.5) == "429-requests"
    assert ask(provider, "second", 1.001) == "answered"
    verdict = provider.verdict(2.0)

    assert (verdict.early_same, verdict.early_any) == (1, 1)


def test_any_request_is_early_once_the_client_could_know_but_not_before() -> None:
    provider = Provider(options(allowance=Allowance(rpm=6)), 0.0)
    ask(provider, "a", 0.0)
    ask(provider, "b", 0.0)
    ask(provider, "on its way already", 0.05)
    assert provider.verdict(0.05).early_any == 0
    ask(provider, "sent all the same", 5.0)
    ask(provider, "in time", 10.0)

    assert provider.verdict(10.0).early_any == 1
    assert provider.verdict(10.0).early_same == 0


def test_an_injected_retry_after_counts_too_but_not_as_provoked() -> None:
    script = (Step(fault="429", nth=1),)
    provider = Provider(options(script=script, pause=2.0), 0.0)
    ask(provider, "a", 0.0)
    ask(provider, "a", 1.0)
    verdict = provider.verdict(1.0)

    assert verdict.refused == {}
    assert verdict.faults == {"429": 1}
    assert verdict.early_same == 1


def test_a_content_that_succeeds_again_is_a_duplicate_and_one_that_failed_is_not() -> None:
    provider = Provider(options(script=(Step(fault="500", nth=1),)), 0.0)
    for said in ("a", "a", "b", "a"):
        ask(provider, said, 0.0)
    verdict = provider.verdict(0.0)

    assert (verdict.answered, verdict.contents, verdict.duplicates) == (3, 2, 1)


def test_an_answer_that_nobody_waited_for_is_abandoned_and_no_success() -> None:
    provider = Provider(options(), 0.0)
    ask(provider, "a", 0.0, delivered=False)
    verdict = provider.verdict(0.0)

    assert (verdict.answered, verdict.abandoned) == (0, 1)


def test_the_most_in_flight_is_remembered() -> None:
    provider = Provider(options(), 0.0)
    plans = [provider.receive("chat", chat(f"{number}"), 0.0, 1e9) for number in range(5)]
    for plan in plans:
        provider.finish(plan, 1.0, delivered=True)
    ask(provider, "last", 2.0)

    assert provider.verdict(2.0).most_in_flight == 5
    assert provider.verdict(2.0).in_flight == 0


def test_faults_do_not_depend_on_how_often_a_limit_refused() -> None:
    def struck(rpm: float) -> list[str]:
        shares = {"503": 0.5}
        provider = Provider(options(faults=shares, allowance=Allowance(rpm=rpm)), 0.0)
        outcomes = [ask(provider, "again", number * 0.25) for number in range(400)]
        return [outcome for outcome in outcomes if not outcome.startswith("429")][:60]

    assert struck(60) == struck(1e9)
    assert len(set(struck(60))) == 2


def test_an_outage_strikes_everything_until_it_is_over() -> None:
    provider = Provider(options(), 0.0)
    provider.start_outage(20.0, "503", 5.0)

    assert [ask(provider, "a", now) for now in (5.0, 24.9, 25.0)] == ["503", "503", "answered"]
    assert provider.verdict(30.0).faults == {"outage-503": 2}


def test_the_text_tells_what_the_numbers_do() -> None:
    provider = Provider(options(allowance=Allowance(rpm=60)), 0.0)
    for now in (0.0, 0.0, 1.0):
        ask(provider, "a", now)
    text = verdict_text(provider.verdict(1.0))

    assert "limit of 60 requests/min: 2 used, 200.0%" in text
    assert "429s provoked: 1 (33.33%): requests 1" in text
    assert "answered more than once: 1" in text
