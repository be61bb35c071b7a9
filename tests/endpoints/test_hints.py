"""What headers say of limits, by whose they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from endpoints.harness import ask, failure, question
from multidict import CIMultiDict
from support.server import ModelServer, Reply

from asyncgen.endpoints.hints import family_of, hints_of
from asyncgen.endpoints.http import HttpEndpoint
from asyncgen.endpoints.http_options import HttpOptions
from asyncgen.errors import BadAnswerError, RateLimitedError
from asyncgen.records import RateHint

if TYPE_CHECKING:
    from asyncgen.records import Meter
    from asyncgen.records import Reply as Heard
    from asyncgen.settings import HeaderFamily

NOW = 1_780_000_000.0
"""2026-05-28T20:26:40Z."""

OPENAI = {
    "x-ratelimit-limit-requests": "6000",
    "x-ratelimit-remaining-requests": "5990",
    "x-ratelimit-reset-requests": "100ms",
    "x-ratelimit-limit-tokens": "150000",
    "x-ratelimit-remaining-tokens": "149000",
    "x-ratelimit-reset-tokens": "400ms",
}
METERS: tuple[Meter, ...] = ("requests", "tokens", "input_tokens", "output_tokens")
REQUESTS = RateHint(meter="requests", window=60, limit=6000, remaining=5990, reset=0.1)
TOKENS = RateHint(meter="tokens", window=60, limit=150_000, remaining=149_000, reset=0.4)


def hint_of(family: HeaderFamily = "auto", **values: str) -> RateHint:
    """Return the only hint of headers for requests, by OpenAI's names."""
    headers = {f"x-ratelimit-{part}-requests": value for part, value in values.items()}
    (hint,) = hints_of(headers, family, NOW)
    return hint


def test_openai_counts_requests_and_tokens_of_a_minute() -> None:
    assert hints_of(OPENAI, "openai", NOW) == (REQUESTS, TOKENS)


def test_names_are_read_in_any_case() -> None:
    headers = CIMultiDict({name.title(): value for name, value in OPENAI.items()})

    assert hints_of(headers, "openai", NOW) == (REQUESTS, TOKENS)


def test_groq_counts_requests_of_a_day_by_the_same_names() -> None:
    requests, tokens = hints_of(
        {
            "x-ratelimit-limit-requests": "14400",
            "x-ratelimit-remaining-requests": "14370",
            "x-ratelimit-reset-requests": "2m59.56s",
            "x-ratelimit-limit-tokens": "18000",
            "x-ratelimit-remaining-tokens": "17997",
            "x-ratelimit-reset-tokens": "7.66ms",
        },
        "groq",
        NOW,
    )

    assert requests == RateHint(
        meter="requests", window=86_400, limit=14_400, remaining=14_370, reset=179.56
    )
    assert (tokens.meter, tokens.window, tokens.certain) == ("tokens", 60, True)
    assert tokens.reset == pytest.approx(0.00766)


def test_azure_is_certain_of_tokens_alone() -> None:
    """What it says is left of requests is of ten seconds, whatever the limit is of."""
    headers = {"x-ratelimit-remaining-requests": "19", "x-ratelimit-remaining-tokens": "19913"}

    assert hints_of(headers, "azure", NOW) == (
        RateHint(meter="requests", window=60, remaining=19, certain=False),
        RateHint(meter="tokens", window=60, remaining=19_913),
    )


def test_anthropic_counts_input_and_output_apart_and_names_the_time() -> None:
    amounts = {
        "requests": 4000,
        "tokens": 480_000,
        "input-tokens": 400_000,
        "output-tokens": 80_000,
    }
    headers: dict[str, str] = {}
    for name, amount in amounts.items():
        headers[f"anthropic-ratelimit-{name}-limit"] = str(amount)
        headers[f"anthropic-ratelimit-{name}-remaining"] = str(amount // 2)
        headers[f"anthropic-ratelimit-{name}-reset"] = "2026-05-28T20:27:10Z"

    hints = hints_of(headers, "anthropic", NOW)

    assert hints == hints_of(headers, "auto", NOW)
    assert hints == tuple(
        RateHint(meter=meter, window=60, limit=amount, remaining=amount // 2, reset=30)
        for meter, amount in zip(METERS, amounts.values(), strict=True)
    )


def test_together_counts_by_the_second() -> None:
    headers = {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "9",
        "x-ratelimit-reset": "0.1",
        "x-ratelimit-limit-tokens": "3000",
    }

    assert hints_of(headers, "together", NOW) == (
        RateHint(meter="requests", window=1, limit=10, remaining=9, reset=0.1),
        RateHint(meter="tokens", window=1, limit=3000),
    )


@pytest.mark.parametrize("family", ["auto", "openai", "azure", "anthropic", "groq", "together"])
def test_headers_that_say_nothing_give_no_hint(family: HeaderFamily) -> None:
    assert hints_of({"content-type": "application/json"}, family, NOW) == ()


def test_headers_are_left_alone_where_the_settings_say_so() -> None:
    assert hints_of(OPENAI, "none", NOW) == ()


@pytest.mark.parametrize("value", ["", "many", "-1", "nan", "inf"])
def test_amounts_that_make_no_sense_are_left_out(value: str) -> None:
    hint = hint_of("openai", limit=value, remaining="5", reset=value if value != "-1" else "x")

    assert hint == RateHint(meter="requests", window=60, remaining=5)


# Of a host that is not known, the values decide whether they are of a minute.


@pytest.mark.parametrize(
    ("limit", "remaining", "reset"),
    [
        ("6000", "5990", "100ms"),
        ("60", "57", "3s"),
        ("3", "2", "20s"),
        ("3", "0", "1m0s"),
        ("150000", "149984", "6ms"),
        ("6000", "5000", "10"),
        pytest.param("60", "59", "1s", id="a second by chance"),
        pytest.param("600", "9", "100ms", id="a burst of ten"),
        pytest.param("200000", "3267", "20ms", id="a burst of a second"),
        pytest.param("600", "0", "0.9", id="a burst, nothing left"),
    ],
)
def test_values_that_a_minute_explains_are_certain(limit: str, remaining: str, reset: str) -> None:
    hint = hint_of(limit=limit, remaining=remaining, reset=reset)

    assert (hint.window, hint.certain) == (60, True)


@pytest.mark.parametrize(
    ("limit", "remaining", "reset"),
    [
        pytest.param("14400", "14399", "6s", id="a day"),
        pytest.param("14400", "14370", "2m59.56s", id="a day, more used"),
        pytest.param("10", "9", "100ms", id="a second"),
        pytest.param("100", "50", "500ms", id="a second, half used"),
        pytest.param("3333.33", "3267", "1", id="a second, rounded up"),
        pytest.param("5000000", "4999999", "17ms", id="a day, a large one"),
        pytest.param("100", "99", "59s", id="a fixed window"),
        pytest.param("100", "100", "0s", id="nothing used"),
        pytest.param("100", "200", "1s", id="more left than there is"),
        pytest.param("0", "0", "0s", id="nothing allowed"),
        pytest.param("100", "50", "", id="no reset"),
    ],
)
def test_values_of_another_window_are_for_caution_only(
    limit: str, remaining: str, reset: str
) -> None:
    assert not hint_of(limit=limit, remaining=remaining, reset=reset).certain


@pytest.mark.parametrize("missing", ["limit", "remaining"])
def test_half_of_the_values_is_for_caution_only(missing: str) -> None:
    values = {"limit": "6000", "remaining": "5990", "reset": "100ms"}
    del values[missing]

    headers = {f"x-ratelimit-{part}-requests": value for part, value in values.items()}

    assert [hint.certain for hint in hints_of(headers, "auto", NOW)] == [False]


@pytest.mark.parametrize(
    ("url", "family"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://my-own.openai.azure.com/openai/v1", "azure"),
        ("https://API.Anthropic.com", "anthropic"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.together.xyz/v1", "together"),
        ("http://127.0.0.1:8000/v1", "auto"),
        ("https://api.openai.com.example/v1", "auto"),
        ("https://notapi.openai.com/v1", "auto"),
    ],
)
def test_a_host_tells_whose_headers_it_sends(url: str, family: HeaderFamily) -> None:
    assert family_of(url) == family


def test_the_settings_go_before_the_host() -> None:
    assert family_of("https://api.openai.com/v1", "groq") == "groq"


# Over a real connection, beside answers and errors alike.


def test_an_answer_brings_its_hints() -> None:
    with ModelServer(lambda _b, _n: Reply("Rhine", headers=OPENAI)) as server:
        assert ask(server.url).hints == (REQUESTS, TOKENS)
        assert ask(server.url, headers="none").hints == ()
        assert ask(server.url, headers="groq").hints[0].window == 86_400


def test_an_error_brings_its_hints() -> None:
    with ModelServer(lambda _b, _n: Reply(status=429, headers=OPENAI, body=b"slow")) as server:
        error = failure(server.url, RateLimitedError, question())

    assert error.hints == (REQUESTS, TOKENS)


def test_an_answer_that_is_none_brings_its_hints() -> None:
    with ModelServer(lambda _b, _n: Reply(body=b"<html>", headers=OPENAI)) as server:
        error = failure(server.url, BadAnswerError, question())

    assert error.hints == (REQUESTS, TOKENS)


def test_of_what_comes_at_once_every_refusal_is_heard() -> None:
    """Of answers close together one may be heard in place of all."""

    def answered(_body: object, number: int) -> Reply:
        status = 429 if number % 2 else 200
        return Reply("Rhine", status=status, headers=OPENAI, body=b"slow" if number % 2 else None)

    async def main(url: str) -> list[Heard | BaseException]:
        async with HttpEndpoint(HttpOptions(base_url=url, model="test-model")) as endpoint:
            sent = [endpoint.send(question(variable=f"{number}")) for number in range(20)]
            return await asyncio.gather(*sent, return_exceptions=True)

    with ModelServer(answered) as server:
        outcomes = asyncio.run(main(server.url))

    refused = [one for one in outcomes if isinstance(one, RateLimitedError)]
    heard = [one for one in outcomes if not isinstance(one, BaseException)]
    assert len(refused) == len(heard) == 10
    assert all(error.hints == (REQUESTS, TOKENS) for error in refused)
    assert {reply.hints for reply in heard} <= {(REQUESTS, TOKENS), ()}
