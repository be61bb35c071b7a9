"""A setting that will not do is refused in one line, which names it and says what is wrong."""

from __future__ import annotations

import math
from typing import Any

import pytest
from settings.material import HOSTED, refusal, settings_of


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("tresh_old", "threshold"),
        ("max_in_fligth", "max_in_flight"),
        ("max-in-flight", "max_in_flight"),
        ("Target", "target"),
        ("temperature", None),
    ],
)
def test_an_unknown_setting_is_told_with_the_nearest_right_name(
    name: str, nearest: str | None
) -> None:
    said = refusal({**HOSTED, name: 1})

    assert said.startswith(f"run.toml: unknown setting '{name}'")
    if nearest:
        assert said.endswith(f"(did you mean '{nearest}'?)")


def test_an_unknown_setting_of_a_stage_is_told_too() -> None:
    said = refusal({**HOSTED, "generation": {"temprature": 1}})

    assert said == (
        "run.toml: [generation]: unknown setting 'temprature' (did you mean 'temperature'?)"
    )


def test_no_name_is_guessed_where_none_is_near() -> None:
    assert refusal({**HOSTED, "qqqq": 1}) == "run.toml: unknown setting 'qqqq'"


def test_a_table_that_is_no_stage_is_unknown() -> None:
    assert refusal({**HOSTED, "limits": {"rpm": 1}}).startswith(
        "run.toml: unknown setting 'limits'"
    )


# One line that names the setting.


@pytest.mark.parametrize(
    "name",
    [
        "target",
        "demonstrations",
        "tasks_per_request",
        "look_ahead",
        "max_instances",
        "max_in_flight",
        "max_attempts",
        "saturation_window",
        "few_shot",
        "slots",
    ],
)
@pytest.mark.parametrize("value", [0, -1, -(10**30)])
def test_counts_are_at_least_one(name: str, value: int) -> None:
    said = refusal({**HOSTED, name: value})

    assert said == f"--{name.replace('_', '-')} {value}: must be at least 1"


@pytest.mark.parametrize("name", ["rpm", "tpm", "timeout", "connect_timeout"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_rates_and_durations_are_positive_and_finite(name: str, value: float) -> None:
    said = refusal({**HOSTED, name: value})

    assert said == f"--{name.replace('_', '-')} {value}: must be a positive number"


@pytest.mark.parametrize("value", [0.0, -0.1, 1.0001, math.nan, math.inf])
def test_the_threshold_lies_in_its_range(value: float) -> None:
    assert refusal({**HOSTED, "threshold": value}) == (f"--threshold {value}: must lie in (0, 1]")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_bias_is_finite(value: float) -> None:
    assert refusal({**HOSTED, "yes_bias": value}) == f"yes_bias {value}: must be a finite number"


@pytest.mark.parametrize("value", [-1, 9])
def test_machine_demonstrations_are_some_of_the_demonstrations(value: int) -> None:
    said = refusal({**HOSTED, "machine_demonstrations": value})

    assert said.startswith(f"machine_demonstrations {value}: must lie between 0 and")


@pytest.mark.parametrize("name", ["temperature", "top_p", "repetition_penalty"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_decoding_takes_finite_numbers(name: str, value: float) -> None:
    said = refusal({**HOSTED, "instances": {name: value}})

    assert said == f"[instances] {name} {value}: must be a finite number"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"max_output_tokens": 0}, "max_output_tokens 0: must be at least 1"),
        ({"temperature": -0.5}, "temperature -0.5: must not be negative"),
    ],
)
def test_decoding_has_its_bounds(table: dict[str, Any], said: str) -> None:
    assert refusal({**HOSTED, "generation": table}) == f"[generation] {said}"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("target", "many", "expected `int`, got `str`"),
        ("target", 1.5, "expected `int`, got `float`"),
        ("target", True, "expected `int`, got `bool`"),
        ("model", 5, "expected `str`, got `int`"),
        ("rpm", "fast", "expected `float | null`, got `str`"),
        ("rpm", 10**400, "number out of range"),
        ("endpoint", 5, "expected `array`, got `int`"),
        ("generation", 5, "expected `object`, got `int`"),
        (
            "api",
            "Chat",
            "invalid enum value 'Chat', it is 'chat', 'completions' or 'anthropic'",
        ),
    ],
)
def test_a_value_of_another_type_is_told(name: str, value: Any, problem: str) -> None:
    assert refusal({**HOSTED, name: value}) == f"run.toml: '{name}': {problem}"
    if name != "endpoint":
        assert refusal(HOSTED, {name: value}) == f"--{name}: {problem}"


def test_the_place_within_a_stage_is_told() -> None:
    said = refusal({**HOSTED, "generation": {"top_k": "all"}})

    assert said == "run.toml: 'generation.top_k': expected `int | null`, got `str`"


@pytest.mark.parametrize("value", [1e300, 10**9])
def test_huge_values_are_taken_at_their_word(value: float) -> None:
    assert settings_of(rpm=value).rpm == value


@pytest.mark.parametrize(
    "url",
    [
        "llm.example/v1",
        "ftp://llm.example",
        "http://",
        "http:///v1",
        "http://llm example/v1",
        "http://[::1/v1",
        "http://h:99999/v1",
        "http://h:port/v1",
        "https://h/v1?version=2",
        "https://h/v1#top",
        "Local",
        "",
    ],
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    assert refusal({}, {"endpoint": [url], "model": "m"}) == (
        f"--endpoint {url}: not a base URL such as https://HOST/v1, nor 'local' or 'simulated'"
    )


@pytest.mark.parametrize(
    "url",
    ["http://h", "https://h:8000/v1/", "http://[::1]:8000/v1", "http://10.0.0.1/a/@b/v1"],
)
def test_base_urls_are_taken(url: str) -> None:
    assert settings_of(endpoint=url).endpoint == (url,)


@pytest.mark.parametrize("url", ["https://user:hunter2@h/v1", "https://hunter2@h/v1"])
def test_a_password_in_a_url_is_refused_and_not_shown(url: str) -> None:
    """It would be written to the run folder and into messages."""
    said = refusal({}, {"endpoint": [url], "model": "m"})

    assert "hunter2" not in said
    assert "--api-key-env" in said


@pytest.mark.parametrize("endpoint", [[], ()])
def test_no_endpoint_is_too_few(endpoint: Any) -> None:
    assert refusal({"endpoint": endpoint, "model": "m"}).startswith("no endpoint named: ")


def test_the_embedded_model_works_alone() -> None:
    assert refusal({"endpoint": ["local", "http://h/v1"], "model": "m"}) == (
        "--endpoint local cannot be combined with other endpoints"
    )


@pytest.mark.parametrize("given", [{}, {"model": ""}])
def test_a_hosted_run_needs_a_model(given: dict[str, Any]) -> None:
    assert refusal({"endpoint": "http://h/v1", **given}).startswith("no model named: ")
