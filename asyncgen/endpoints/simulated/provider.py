"""The provider's mind: a request and the time in, what to send and when out. No I/O.

What can be seen from outside follows from the request's content, the attempt at it, the limits
and the clock: the same run, the same answers and the same faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.endpoints.simulated import dialects, refusals
from asyncgen.endpoints.simulated.answers import CHARACTERS_PER_TOKEN, Answer, answer_to, tokens_of
from asyncgen.endpoints.simulated.buckets import Buckets, Usage
from asyncgen.endpoints.simulated.chance import content_key, delay_of, mixed
from asyncgen.endpoints.simulated.dialects import Asked, Complaint
from asyncgen.endpoints.simulated.faults import Script, drawn_fault
from asyncgen.endpoints.simulated.headers import limit_headers, retry_headers
from asyncgen.endpoints.simulated.http import response
from asyncgen.endpoints.simulated.options import check_allowance
from asyncgen.endpoints.simulated.plans import ANSWERED, Plan, struck
from asyncgen.endpoints.simulated.prefixes import PrefixCache
from asyncgen.endpoints.simulated.verdict import Ledger, Verdict

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated.options import (
        Allowance,
        Family,
        Fault,
        Outage,
        SimulatedOptions,
    )
    from asyncgen.records import Api

__all__ = ["Provider"]

_REMEMBERED = 4096  # answers kept: the heavy part of a request that is asked again


class Provider:
    """Limits, faults, answers and the ledger of one account.

    Args:
        options: How it behaves; checked.
        now: The clock in seconds.
    """

    def __init__(self, options: SimulatedOptions, now: float) -> None:
        self.options = options
        self._buckets = Buckets(options.allowance, now)
        self._script = Script(options.script)
        self._ledger = Ledger()
        self._prefixes = PrefixCache()
        self._attempts: dict[int, int] = {}
        self._let_through = 0
        self._answers: dict[int, tuple[Asked, Answer]] = {}
        self._outage_until = now
        self._outage: Outage = "503"

    def receive(self, api: Api, body: bytes, now: float, wall: float) -> Plan:
        """Decide about a request.

        Args:
            api: The interface that it came by.
            body: What it says.
            now: The clock in seconds.
            wall: Unix time in seconds.
        """
        key = content_key(api, body)
        if self._ledger.first_at is None:
            self._buckets.begin(now)
        self._ledger.arrived(key, now)
        family: Family = "anthropic" if api == "anthropic" else self.options.family
        plan = self._decide(_Case(key, api, family, now, wall), body)
        if plan.told is not None:
            self._ledger.told(key, plan.told, now)
        return plan

    def finish(self, plan: Plan, now: float, *, delivered: bool) -> str:
        """Note and return how a request ended; one that the client gave up was not delivered."""
        silent = plan.ending == "silence"
        outcome = plan.outcome if delivered or silent else "abandoned"
        self._ledger.finished(outcome, now)
        if delivered and outcome == ANSWERED:
            self._ledger.answered(plan.key)
        return outcome

    def change_limits(self, allowance: Allowance, now: float) -> None:
        """Put other limits in force at once.

        Raises:
            SettingsError: If one of them is none.
        """
        check_allowance(allowance)
        self._buckets.change(allowance, now)

    @property
    def allowance(self) -> Allowance:
        """The limits in force."""
        return self._buckets.allowance

    def start_outage(self, seconds: float, kind: Outage, now: float) -> None:
        """Fail every request for some time from now on."""
        self._outage_until = now + seconds
        self._outage = kind

    def verdict(self, now: float) -> Verdict:
        """Return what the provider thinks of its client so far."""
        return self._ledger.verdict(self._buckets.views(now))

    def _decide(self, case: _Case, body: bytes) -> Plan:
        options, key = self.options, case.key
        if case.now < self._outage_until:
            self._ledger.struck(f"outage-{self._outage}")
            return struck(Plan(key, b"", ""), self._outage, case.family, options)
        read = self._read(case, body)
        if isinstance(read, Complaint):
            error = refusals.complaint_body(case.family, read)
            return Plan(key, response(read.status, error), "invalid")
        asked, answer = read
        cached, prefixes = self._prefixes.look_up(asked.prompt)
        usage = _usage(asked, answer, cached)
        refused = self._refuse(case, asked, usage)
        if refused is not None:
            return refused
        self._prefixes.keep(prefixes)
        fault = self._fault(case)
        if fault == "empty":
            answer = Answer("")
            usage = _usage(asked, answer, cached)
        data = dialects.answer_body(asked, answer, usage, f"{key:016x}")
        seconds = delay_of(options.latency, usage.output, mixed(key, options.seed))
        plan = Plan(key, response(200, data, self._told(case)), ANSWERED, seconds, computes=True)
        return plan if fault is None else struck(plan, fault, case.family, options)

    def _read(self, case: _Case, body: bytes) -> tuple[Asked, Answer] | Complaint:
        """Read a request and think of its answer, unless both are remembered."""
        known = self._answers.get(case.key)
        if known is not None:
            return known
        asked = dialects.read_request(case.api, body)
        if isinstance(asked, Complaint):
            return asked
        options = self.options
        answer = answer_to(asked, seed=options.seed, usual_tokens=options.answer_tokens)
        if len(self._answers) >= _REMEMBERED:
            self._answers.clear()
        self._answers[case.key] = asked, answer
        return asked, answer

    def _refuse(self, case: _Case, asked: Asked, usage: Usage) -> Plan | None:
        """Return the 429 for a request beyond a limit, or take its share of all of them."""
        options, allowance = self.options, self._buckets.allowance
        name: str
        told: float | None
        if allowance.concurrency is not None and self._ledger.in_flight > allowance.concurrency:
            body = refusals.over_concurrency(case.family, allowance.concurrency)
            name, told = "concurrency", options.pause
        else:
            if options.charge == "asked":
                bound = asked.max_tokens or options.answer_tokens
                usage = Usage(usage.prompt, usage.cached, bound)
            refusal = self._buckets.admit(usage, case.now)
            if refusal is None:
                return None
            body = refusals.over_limit(case.family, refusal)
            name, told = refusal.limit.name, refusal.seconds
        self._ledger.refused(name)
        if not options.retry_after:
            told = None
        headers = self._told(case)
        if told is not None:
            headers += retry_headers(case.family, told)
        return Plan(case.key, response(429, body, headers), f"429-{name}", told=told)

    def _fault(self, case: _Case) -> Fault | None:
        """Return what strikes a request that the limits let through."""
        options, key = self.options, case.key
        if not options.script and not options.faults:
            return None
        self._let_through += 1
        attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
        fault = self._script.fault(self._let_through, case.now - (self._ledger.first_at or 0.0))
        if fault is None:
            fault = drawn_fault(options.faults, key, attempt, options.seed)
        if fault is not None:
            self._ledger.struck(fault)
        return fault

    def _told(self, case: _Case) -> str:
        """Return the header lines that tell the limits as they are now."""
        family = "none" if self.options.family == "none" else case.family
        return limit_headers(family, self._buckets.views(case.now), case.wall)


class _Case(Struct, frozen=True):
    """One request: its content's key, its interface, whose words it gets, and when it came."""

    key: int
    api: Api
    family: Family
    now: float
    wall: float


def _usage(asked: Asked, answer: Answer, cached: int) -> Usage:
    return Usage(
        prompt=tokens_of(len(asked.prompt)),
        cached=cached // CHARACTERS_PER_TOKEN,
        output=tokens_of(len(answer.text)),
    )
