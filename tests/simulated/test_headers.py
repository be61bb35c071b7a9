"""Rate-limit headers and errors, in every provider's own form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from simulated.harness import chat, options

from asyncgen.endpoints.simulated import Allowance
from asyncgen.endpoints.simulated.headers import duration, retry_headers, timestamp
from asyncgen.endpoints.simulated.provider import Provider

if TYPE_CHECKING:
    from asyncgen.records import Api

WALL = 1_790_000_000.0  # 2026-09-21T14:13:20Z
ALL = Allowance(rpm=600, tpm=600_000, itpm=60_000, otpm=6_000, rpd=1000)


def answered(
    family: Any, allowance: Allowance, *, api: Api = "chat", times: int = 1
) -> tuple[dict[str, str], Any, int]:
    """Return headers, body and status of the last of some requests at the same moment."""
    provider = Provider(options(family=family, allowance=allowance, answer_tokens=10), 0.0)
    data = b""
    for number in range(times):
        said = chat(f"hello {number}", max_tokens=10)
        plan = provider.receive(api, said, 0.0, WALL)
        provider.finish(plan, 0.0, delivered=True)
        data = plan.data
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return headers, orjson.loads(body), int(lines[0].split()[1])


def test_openai_tells_limit_remaining_and_a_duration_for_requests_and_tokens() -> None:
    headers, _, _ = answered("openai", Allowance(rpm=600, tpm=600_000))

    assert {name: value for name, value in headers.items() if "ratelimit" in name} == {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-requests": "100ms",
        "x-ratelimit-limit-tokens": "600000",
        "x-ratelimit-remaining-tokens": "9988",
        "x-ratelimit-reset-tokens": "2ms",
    }


def test_groq_tells_requests_by_the_day_under_the_same_names() -> None:
    headers, _, _ = answered("groq", ALL)

    assert headers["x-ratelimit-limit-requests"] == "1000"
    assert headers["x-ratelimit-remaining-requests"] == "999"
    assert headers["x-ratelimit-reset-requests"] == "1m26.4s"


def test_azure_tells_no_resets() -> None:
    headers, _, _ = answered("azure", ALL)

    assert headers["x-ratelimit-limit-requests"] == "600"
    assert not any("reset" in name for name in headers)


def test_anthropic_tells_every_limit_with_a_moment_and_the_tightest_as_tokens() -> None:
    headers, _, _ = answered("anthropic", Allowance(rpm=60, itpm=60_000, otpm=6_000))

    assert headers["anthropic-ratelimit-requests-limit"] == "60"
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert headers["anthropic-ratelimit-requests-reset"] == "2026-09-21T14:13:21Z"
    assert headers["anthropic-ratelimit-input-tokens-limit"] == "60000"
    assert headers["anthropic-ratelimit-output-tokens-remaining"] == "90"
    assert headers["anthropic-ratelimit-tokens-limit"] == "6000"


def test_together_tells_everything_by_the_second() -> None:
    headers, _, _ = answered("together", Allowance(rpm=600, tpm=600_000))

    assert headers["x-ratelimit-limit"] == "10"
    assert headers["x-ratelimit-remaining"] == "9"
    assert headers["x-ratelimit-reset"] == "1"
    assert headers["x-ratelimit-limit-tokens"] == "10000"


def test_none_tells_nothing() -> None:
    for api in ("chat", "anthropic"):
        headers, _, _ = answered("none", ALL, api=api)
        assert not any("ratelimit" in name for name in headers)


def test_messages_are_answered_in_anthropics_form_whatever_the_family() -> None:
    allowance = Allowance(rpm=60)
    headers, body, status = answered("openai", allowance, api="anthropic", times=2)

    assert status == 429
    assert body["type"] == "error"
    assert body["error"]["type"] == "rate_limit_error"
    assert headers["retry-after"] == "1"
    assert "anthropic-ratelimit-requests-limit" in headers


@pytest.mark.parametrize(
    ("family", "code"),
    [
        ("openai", "rate_limit_exceeded"),
        ("groq", "rate_limit_exceeded"),
        ("azure", "429"),
        ("together", "rate_limit"),
        ("none", "rate_limit_exceeded"),
    ],
)
def test_a_429_carries_the_familys_code_and_retry_after(family: Any, code: str) -> None:
    headers, body, status = answered(family, Allowance(rpm=60), times=2)

    assert status == 429
    assert body["error"]["code"] == code
    assert headers["retry-after"] == "1"
    assert ("retry-after-ms" in headers) == (family in {"openai", "azure"})


def test_a_429_says_which_limit_and_when() -> None:
    _, body, _ = answered("openai", Allowance(rpm=60), times=2)

    assert "requests per min (RPM): Limit 60, Remaining 0, Requested 1" in body["error"]["message"]
    assert "try again in 1s" in body["error"]["message"]
    assert body["error"]["type"] == "requests"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0ms"),
        (0.1201, "121ms"),
        (1, "1s"),
        (7.66, "7.66s"),
        (360, "6m0s"),
        (3723.5, "1h2m3.5s"),
    ],
)
def test_durations_are_written_as_openai_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_times_are_rounded_up_so_that_who_obeys_is_never_early() -> None:
    assert timestamp(WALL + 0.2) == "2026-09-21T14:13:21Z"
    assert retry_headers("openai", 1.0002) == "retry-after: 2\r\nretry-after-ms: 1001\r\n"
