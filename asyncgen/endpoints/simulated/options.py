"""How the simulated provider behaves: frozen values, checked once, passed to a child as JSON."""

from __future__ import annotations

import math
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from asyncgen.errors import SettingsError

__all__ = [
    "Allowance",
    "Family",
    "Fault",
    "Latency",
    "Outage",
    "SimulatedOptions",
    "Spread",
    "Step",
    "check_allowance",
    "check_options",
    "read_faults",
]

Family = Literal["openai", "azure", "anthropic", "groq", "together", "none"]
"""Whose headers and error bodies are sent."""

Spread = Literal["fixed", "uniform", "lognormal"]

Fault = Literal[
    "429",  # with Retry-After
    "429-bare",  # without
    "slow_down",
    "insufficient_quota",
    "500",
    "502",
    "503",
    "504",
    "529",
    "hang",  # never answers
    "reset",  # breaks the connection
    "cut-body",  # announces more than it sends, then closes
    "not-json",
    "error-200",  # an error in the disguise of HTTP 200
    "empty",  # an answer without text
    "slow",  # the right answer, `slow` seconds late
    "stall",  # half the body, then silence
]

Outage = Literal["500", "502", "503", "504", "529", "reset", "hang"]
"""What every request meets during an outage."""


class Allowance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client may use; ``None`` for no limit. All refill continuously.

    Attributes:
        rpm: Requests per minute.
        tpm: Tokens per minute, input and output together.
        itpm: Input tokens per minute; cached ones are free.
        otpm: Output tokens per minute.
        rpd: Requests per day; the whole day's at once, if wanted.
        burst: Seconds' worth that may be used at once, at least one request.
        taken: Share of every limit that another client of the same account uses.
        concurrency: Requests in flight beyond which the answer is 429.
    """

    rpm: float | None = None
    tpm: float | None = None
    itpm: float | None = None
    otpm: float | None = None
    rpd: float | None = None
    burst: float = 1.0
    taken: float = 0.0
    concurrency: int | None = None


class Latency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an answer takes.

    Attributes:
        first: Seconds to the first byte.
        per_token: Seconds for each token of the answer.
        spread: How both vary from request to request: not at all, evenly by ± ``width``,
            or lognormally with a standard deviation of ``width`` of the logarithm.
        width: See ``spread``.
        knee: Requests computed side by side; further ones wait their turn, as with vLLM
            and llama.cpp, which never send 429. ``None``: all at once.
    """

    first: float = 0.2
    per_token: float = 0.0
    spread: Spread = "fixed"
    width: float = 0.25
    knee: int | None = None


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a script: a fault from a time or from a request on.

    Attributes:
        fault: What happens.
        at: Seconds after the first request from which on it does.
        nth: Or the request that it begins with, counting from 1.
        count: How many requests it strikes.
        seconds: Or how long it lasts; only with ``at``.
    """

    fault: Fault
    at: float | None = None
    nth: int | None = None
    count: int = 1
    seconds: float | None = None


class SimulatedOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a simulated provider is told.

    Attributes:
        host: Address to listen on.
        port: Port; 0 takes a free one.
        model: The name that it serves, besides any other that it is asked for.
        seed: Keys latencies, faults and answers, together with each request's content.
        family: Whose headers and error bodies it sends.
        allowance: The limits.
        charge: What counts against the token limits: the tokens ``used``, or, as some
            providers reckon, the input and all of ``max_tokens`` (``asked``).
        retry_after: Whether a 429 for a limit says when to come again.
        pause: Seconds that a 429 names where no limit decides: injected, or by concurrency.
        latency: How long answers take.
        faults: Probability of each fault for one attempt.
        script: Faults at set times or requests.
        slow: Seconds that the fault ``slow`` adds.
        answer_tokens: Length of the answer to a prompt that is none of the pipeline's.
        log: File to which each request is appended as it ends; empty for none.
    """

    host: str = "127.0.0.1"
    port: int = 0
    model: str = "simulated"
    seed: int = 0
    family: Family = "openai"
    allowance: Allowance = Allowance()
    charge: Literal["used", "asked"] = "used"
    retry_after: bool = True
    pause: float = 1.0
    latency: Latency = Latency()
    faults: dict[Fault, float] = {}
    script: tuple[Step, ...] = ()
    slow: float = 5.0
    answer_tokens: int = 256
    log: str = ""


_POSITIVE = ("rpm", "tpm", "itpm", "otpm", "rpd", "burst", "concurrency")


def check_options(options: SimulatedOptions) -> None:
    """Check what types alone do not say.

    Raises:
        SettingsError: Naming the option and what it must be.
    """
    check_allowance(options.allowance)
    latency = options.latency
    for name, value in (
        ("latency", latency.first),
        ("per-token", latency.per_token),
        ("width", latency.width),
        ("slow", options.slow),
        ("pause", options.pause),
    ):
        _require(0 <= value < math.inf, f"--{name} {value:g}: must be 0 or more")
    _require(latency.spread != "uniform" or latency.width <= 1, "--width: at most 1 for uniform")
    _require(latency.knee is None or latency.knee > 0, f"--knee {latency.knee}: must be at least 1")
    _require(options.answer_tokens > 0, "--answer-tokens: must be at least 1")
    for fault, share in options.faults.items():
        _require(0 <= share <= 1, f"--faults: {fault}={share:g} must lie in [0, 1]")
    total = sum(options.faults.values())
    _require(total <= 1 + 1e-9, f"--faults: the shares add up to {total:g}, more than 1")
    for number, step in enumerate(options.script, start=1):
        _check_step(step, f"script, entry {number}")


def check_allowance(allowance: Allowance) -> None:
    """Check the limits.

    Raises:
        SettingsError: Naming the limit and what it must be.
    """
    for name in _POSITIVE:
        value = getattr(allowance, name)
        good = value is None or 0 < value < math.inf
        _require(good, f"--{name} {value}: must be a positive number")
    taken = allowance.taken
    _require(0 <= taken < 1, f"--taken {taken:g}: must lie in [0, 1)")


def read_faults(text: str) -> dict[Fault, float]:
    """Read ``429=0.02,hang=0.01``.

    Raises:
        SettingsError: Naming the part that is none.
    """
    table: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, share = part.partition("=")
        try:
            table[name.strip()] = float(share)
        except ValueError as error:
            raise SettingsError(f"--faults: '{part}' is not NAME=SHARE") from error
        if name.strip() not in get_args(Fault):
            known = ", ".join(get_args(Fault))
            raise SettingsError(f"--faults: unknown fault '{name.strip()}'; there are {known}")
    return msgspec.convert(table, dict[Fault, float])


def _check_step(step: Step, where: str) -> None:
    _require((step.at is None) != (step.nth is None), f"{where}: give either 'at' or 'nth'")
    _require(step.at is None or 0 <= step.at < math.inf, f"{where}: 'at' must be 0 or more")
    _require(step.nth is None or step.nth > 0, f"{where}: 'nth' must be at least 1")
    _require(step.count > 0, f"{where}: 'count' must be at least 1")
    lasts = step.seconds is None or (step.at is not None and 0 < step.seconds < math.inf)
    _require(lasts, f"{where}: 'seconds' must be positive, and goes with 'at'")


def _require(condition: bool, problem: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not condition:
        raise SettingsError(problem)
