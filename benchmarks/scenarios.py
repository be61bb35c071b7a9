"""What the engine promises of limits and failures, run for real over loopback.

    python benchmarks/scenarios.py [--only a,b] [--seconds 60] [--json]

Each scenario runs the engine over its HTTP endpoint against simulated providers in processes
of their own, the client on the first core, they on the last. 429s, duplicates and limit use
are the providers' own count. "allowed" is answers against what the limit allows in the time
from the first request to the end of the asking; "share" is the provider's reckoning.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, get_args

import anyio
from live import Client, Seen, Stage, perform

from asyncgen.endpoints.simulated import Allowance, Latency, SimulatedOptions
from asyncgen.endpoints.simulated.child import fastest_loop
from asyncgen.endpoints.simulated.options import Family, Fault
from asyncgen.engine import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RPM = 6000.0
TPM = 3_000_000.0
LATENCY = Latency(first=0.2, spread="lognormal", width=0.25)
KNEE = 32
OUTAGE = 20.0  # seconds
WITHIN = 5.0  # seconds in which to be back
FAULTY = 20_000  # requests


@dataclass(frozen=True)
class Figure:
    """Something measured, and what was promised of it."""

    name: str
    value: float | None
    goal: str = ""
    kept: bool | None = None


@dataclass(frozen=True)
class Outcome:
    """What a scenario found.

    Attributes:
        load: Of the machine, over the last minute.
    """

    scenario: str
    title: str
    figures: list[Figure]
    load: float


def at_least(name: str, value: float, goal: float) -> Figure:
    """Return a figure that must not be lower."""
    return Figure(name, value, f">= {goal:g}", value >= goal)


def at_most(name: str, value: float | None, goal: float) -> Figure:
    """Return a figure that must not be higher, nor missing."""
    return Figure(name, value, f"<= {goal:g}", value is not None and value <= goal)


def basics(seen: Seen) -> list[Figure]:
    """Return what every scenario promises, and what is good to know."""
    verdicts = seen.verdicts
    return [
        at_most("requests without an answer", seen.unanswered, 0),
        at_most("answers handed on twice", seen.twice, 0),
        at_most("answered twice by a provider", sum(one.duplicates for one in verdicts), 0),
        at_most("retries before their Retry-After", sum(one.early_same for one in verdicts), 0),
        Figure("requests", seen.asked),
        Figure("attempts", sum(one.requests for one in verdicts)),
        Figure("429s", seen.refused[-1][1]),
        Figure("most in flight", max(one.most_in_flight for one in verdicts)),
        Figure("seconds", seen.seconds),
    ]


def provider(family: Family = "openai", **allowance: float) -> SimulatedOptions:
    """Return a provider with limits."""
    return SimulatedOptions(family=family, latency=LATENCY, allowance=Allowance(**allowance))  # type: ignore[arg-type]


async def steady(
    seconds: float, options: SimulatedOptions, limits: Limits, least: float, *, most_429: float
) -> list[Figure]:
    """Work against one limit; return how much of it was used.

    Args:
        seconds: How long.
        options: The provider's.
        limits: What the engine is told.
        least: Share of the limit that must be used.
        most_429: Share of requests that may be refused; 0 for none after the first second.
    """
    tokens = options.allowance.tpm is not None
    client = Client(seconds, limits=limits, varied=tokens)
    seen = await perform([options], client)
    verdict = seen.verdicts[0]
    use = verdict.limits["tokens" if tokens else "requests"]
    found = [at_least("share of the limit used", use.share, least)]
    if not tokens:
        allowed = (options.allowance.rpm or 0.0) / 60
        found.append(Figure("answers of those allowed", seen.rate(0, seconds) / allowed))
    if most_429:
        found.append(at_most("share of 429s", verdict.refused_share, most_429))
    elif limits == Limits():
        found.append(at_most("429s after the first second", seen.refused_after(1.0), 0))
    else:
        found.append(at_most("429s at all", seen.refused_after(-1.0), 0))
    return found + basics(seen)


async def given(seconds: float) -> list[Figure]:
    """A limit of 6,000 requests a minute, given."""
    return await steady(seconds, provider(rpm=RPM), Limits(rpm=RPM), 0.99, most_429=0)


async def in_headers(seconds: float) -> list[Figure]:
    """The same limit, in OpenAI's headers only."""
    return await steady(seconds, provider(rpm=RPM), Limits(), 0.97, most_429=0)


async def hidden(seconds: float) -> list[Figure]:
    """The same limit, neither given nor in headers."""
    return await steady(seconds, provider("none", rpm=RPM), Limits(), 0.90, most_429=0.01)


async def tokens_given(seconds: float) -> list[Figure]:
    """A limit of 3,000,000 tokens a minute, given; prompts of 0.6 to 2 KB."""
    return await steady(seconds, provider(tpm=TPM), Limits(tpm=TPM), 0.97, most_429=0)


async def tokens_in_headers(seconds: float) -> list[Figure]:
    """The same limit of tokens, in OpenAI's headers only."""
    return await steady(seconds, provider(tpm=TPM), Limits(), 0.97, most_429=0)


async def tokens_hidden(seconds: float) -> list[Figure]:
    """The same limit of tokens, neither given nor in headers."""
    return await steady(seconds, provider("none", tpm=TPM), Limits(), 0.90, most_429=0.01)


async def knee(seconds: float) -> list[Figure]:
    """A server that never refuses, but computes 32 answers side by side."""
    options = SimulatedOptions(
        family="none",
        latency=Latency(first=0.2, spread="lognormal", width=0.25, knee=KNEE),
    )
    best = await perform([options], Client(min(seconds / 3, 15), max_in_flight=KNEE))
    seen = await perform([options], Client(seconds))
    after = [
        latency
        for moment, latency in zip(seen.landed, seen.latencies, strict=True)
        if moment >= seconds / 3
    ]
    throughput = seen.rate(seconds / 3, seconds) / best.rate(1.0, min(seconds / 3, 15))
    return [
        at_least("throughput x that at the knee", throughput, 0.9),
        at_most("latency x that at the knee", fmean(after) / fmean(best.latencies), 1.5),
        Figure("requests/s at the knee", best.rate(1.0, min(seconds / 3, 15))),
        Figure("seconds of latency at the knee", fmean(best.latencies)),
        Figure("requests/s over the first third", seen.rate(0, seconds / 3)),
        Figure("window at the end", seen.snapshot.lanes[0].window),
        *basics(seen),
    ]


async def changed(
    seconds: float, options: SimulatedOptions, limits: Limits, change: dict[str, float]
) -> list[Figure]:
    """Halve what is allowed for the middle third; return how soon the client is there again."""
    third = seconds / 3
    back = {name: getattr(options.allowance, name) for name in change}

    async def script(stage: Stage) -> None:
        await anyio.sleep(third)
        await stage.servers[0].change_limits(**change)
        stage.mark("halved")
        await anyio.sleep(third)
        await stage.servers[0].change_limits(**back)
        stage.mark("whole")

    seen = await perform([options], Client(seconds, limits=limits), script)
    full = RPM / 60
    halved, whole = seen.marks["halved"], seen.marks["whole"]
    return [
        at_most("seconds to half the limit", seen.back_after(halved, full / 2), WITHIN),
        at_most("seconds back to all of it", seen.back_after(whole, full), WITHIN),
        at_least("use of the half", seen.rate(halved + WITHIN, whole) / (full / 2), 0.95),
        at_least("use of the whole", seen.rate(whole + WITHIN, seconds) / full, 0.95),
        Figure("last 429 after halving", seen.last_refused(halved, whole)),
        Figure("429s while halved", seen.refused_after(halved) - seen.refused_after(whole)),
        *basics(seen),
    ]


async def halved_in_headers(seconds: float) -> list[Figure]:
    """The limit is halved for a while, and the headers say so."""
    return await changed(seconds, provider(rpm=RPM), Limits(), {"rpm": RPM / 2})


async def halved_in_silence(seconds: float) -> list[Figure]:
    """The limit is halved for a while, was given, and no header says so."""
    options = provider("none", rpm=RPM)
    return await changed(seconds, options, Limits(rpm=RPM), {"rpm": RPM / 2})


async def shared(seconds: float) -> list[Figure]:
    """Another client takes half the quota for a while; the limit is given."""
    return await changed(seconds, provider(rpm=RPM), Limits(rpm=RPM), {"taken": 0.5})


async def outage(seconds: float) -> list[Figure]:
    """Everything fails with 503 for 20 s."""
    lasts = min(OUTAGE, seconds / 3)

    async def script(stage: Stage) -> None:
        await anyio.sleep(seconds / 3)
        await stage.servers[0].start_outage(lasts)
        stage.mark("down")
        await anyio.sleep(lasts)
        stage.mark("up")

    seen = await perform([provider(rpm=RPM)], Client(seconds, limits=Limits(rpm=RPM)), script)
    up = seen.marks["up"]
    failed = seen.verdicts[0].faults.get("outage-503", 0)
    return [
        at_most("seconds back at the limit", seen.back_after(up, RPM / 60), WITHIN),
        Figure("use of the limit after that", seen.rate(up + WITHIN, seconds) / (RPM / 60)),
        Figure("attempts that failed in the outage", failed),
        *basics(seen),
    ]


async def death(seconds: float) -> list[Figure]:
    """One of three endpoints of 2,000 requests a minute each is killed."""
    share = RPM / 3

    async def script(stage: Stage) -> None:
        await anyio.sleep(seconds / 2)
        await stage.verdicts()
        os.kill(stage.servers[0].pid, signal.SIGKILL)
        stage.mark("dead")

    seen = await perform(
        [provider(rpm=share)] * 3, Client(seconds, limits=Limits(rpm=share)), script
    )
    dead, left = seen.marks["dead"], 2 * share / 60
    return [
        at_most("seconds back at the limit", seen.back_after(dead, left), WITHIN),
        at_least("use of the limit before", seen.rate(2, dead) / (3 * share / 60), 0.95),
        at_least("use of what is left", seen.rate(dead + WITHIN, seconds) / left, 0.95),
        *basics(seen),
    ]


async def faults(seconds: float) -> list[Figure]:
    """10 % faults of every kind at once; a used-up quota ends a session and is left out."""
    kinds: list[Fault] = [kind for kind in get_args(Fault) if kind != "insufficient_quota"]
    limit = 2 * RPM
    options = SimulatedOptions(
        latency=LATENCY,
        allowance=Allowance(rpm=limit),
        faults=dict.fromkeys(kinds, 0.1 / len(kinds)),
        slow=2.0,
    )
    client = Client(
        seconds=1e9,
        count=min(FAULTY, int(seconds * FAULTY / 60)),
        limits=Limits(rpm=limit),
        timeouts={"first_byte_timeout": 4.0, "stall_timeout": 4.0},
    )
    seen = await perform([options], client)
    verdict = seen.verdicts[0]
    injected = sum(verdict.faults.values())
    return [
        at_most("attempts a request", verdict.requests / seen.asked, 1.25),
        Figure("faults", injected),
        Figure("kinds of them", len(verdict.faults)),
        Figure("share of the limit used", verdict.limits["requests"].share),
        Figure("sent while another's Retry-After ran", verdict.early_any),
        Figure("given up by the client", verdict.abandoned),
        *basics(seen),
    ]


SCENARIOS: dict[str, Callable[[float], Awaitable[list[Figure]]]] = {
    "a": given,
    "b": in_headers,
    "c": hidden,
    "d": tokens_given,
    "d-headers": tokens_in_headers,
    "d-hidden": tokens_hidden,
    "e": knee,
    "f": halved_in_headers,
    "f-silent": halved_in_silence,
    "g": shared,
    "h": outage,
    "i": death,
    "j": faults,
}


def shown(outcome: Outcome) -> str:
    """Write an outcome in lines for people."""
    lines = [f"({outcome.scenario}) {outcome.title} [load {outcome.load:.1f}]"]
    for figure in outcome.figures:
        value = "-" if figure.value is None else f"{figure.value:,.4g}"
        if figure.value is not None and abs(figure.value) >= 1000:
            value = f"{figure.value:,.0f}"
        kept = {None: "", True: "  kept", False: "  MISSED"}[figure.kept]
        lines.append(f"    {figure.name:38} {value:>10}  {figure.goal}{kept}")
    return "\n".join(lines)


def main() -> None:
    """Run the scenarios and print; exit with 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default=",".join(SCENARIOS), help="such as a,b")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each")
    parser.add_argument("--json", action="store_true", help="one JSON list at the end")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := set(names) - set(SCENARIOS):
        parser.error(f"no scenario {', '.join(unknown)}; there are: {', '.join(SCENARIOS)}")
    outcomes: list[Outcome] = []
    for name in names:
        scenario = SCENARIOS[name]
        with asyncio.Runner(loop_factory=fastest_loop()) as runner:

            async def run(play: Callable[[float], Awaitable[list[Figure]]]) -> list[Figure]:
                return await play(arguments.seconds)

            figures = runner.run(run(scenario))
        title = (scenario.__doc__ or "").strip().removesuffix(".")
        outcomes.append(Outcome(name, title, figures, os.getloadavg()[0]))
        if not arguments.json:
            print(shown(outcomes[-1]), flush=True)
    if arguments.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    missed = sum(figure.kept is False for one in outcomes for figure in one.figures)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
