"""When a service says to come back, in every form."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from asyncgen.endpoints.moments import retry_after, seconds_until, until_midnight

NOW = 784111740.0
"""Sun, 06 Nov 1994 08:49:00 GMT."""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("8.64s", 8.64),
        ("1m", 60),
        ("2m59.56s", 179.56),
        ("7m12s", 432),
        ("1d2h", 93_600),
        ("6m0.25ms", 360.00025),
        ("1m30ms", 60.03),
        ("0s", 0),
        ("0", 0),
        ("12", 12),
        ("0.5", 0.5),
        ("-3", 0),
        ("1994-11-06T08:49:37Z", 37),
        ("1994-11-06T09:49:37.5+01:00", 37.5),
        ("1994-11-06T08:48:00Z", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 37),
        ("Sun Nov  6 08:49:37 1994", 37),
    ],
)
def test_every_form_of_a_moment_is_read(text: str, seconds: float) -> None:
    assert seconds_until(text, NOW) == pytest.approx(seconds)


@pytest.mark.parametrize("scale", [1, 1000])
def test_unix_time_is_told_from_a_duration(scale: int) -> None:
    now = 1_780_000_000.0

    assert seconds_until(str(int(now + 42) * scale), now) == 42


@pytest.mark.parametrize(
    "text",
    ["", "soon", "nan", "inf", "1e999", "9" * 400, "9" * 400 + "s", "²", "12 s", "s", "ms", "1x2s"],
)
def test_what_names_no_moment_is_none(text: str) -> None:
    """Above all none that never ends."""
    assert seconds_until(text, NOW) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2"}, 2),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, 2),
        ({"retry-after-ms": "-1"}, 0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 37),
        ({"Retry-After": "soon"}, None),
    ],
)
def test_a_wait_is_asked_for_in_milliseconds_seconds_or_by_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, now=NOW) == seconds


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        (datetime(2026, 7, 1, 6, 0, tzinfo=UTC), 1),  # summer time: 23:00 there
        (datetime(2026, 12, 1, 6, 0, tzinfo=UTC), 2),
        (datetime(2026, 12, 1, 8, 0, tzinfo=UTC), 24),
    ],
)
def test_a_day_ends_at_midnight_of_its_zone(at: datetime, hours: float) -> None:
    assert until_midnight("America/Los_Angeles", -8, at.timestamp()) == hours * 3600


def test_a_zone_that_is_not_known_is_reckoned_by_its_hours() -> None:
    at = datetime(2026, 12, 1, 6, 0, tzinfo=UTC).timestamp()

    assert until_midnight("No/Such_Place", -8, at) == 2 * 3600
