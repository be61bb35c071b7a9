"""Several endpoints and keys, each with settings of its own, in one run."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pytest

from asyncgen.errors import SettingsError
from asyncgen.settings import EndpointSettings, Price, Settings, differences, resolve, to_toml

URL = "https://llm.example/v1"
OTHER = "https://other.example/v1"
RUN = {"endpoint": URL, "model": "m"}


def settings_of(*entries: dict[str, Any], **given: Any) -> Settings:
    return resolve({"model": "m", "endpoints": list(entries), **given}, {}, source="run.toml")


def refusal(*entries: dict[str, Any], **given: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        settings_of(*entries, **given)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_endpoints_are_read_from_a_table_array() -> None:
    text = """
        model = "m"
        [[endpoints]]
        url = "https://llm.example/v1"
        api_key_env = "FIRST"
        rpm = 500
        weight = 2
        price = {input = 0.15, output = 0.6, cached = 0.075}
        [[endpoints]]
        url = "https://llm.example/v1"
        api_key_env = "SECOND"
        headers = "groq"
    """

    assert resolve(tomllib.loads(text), {}).endpoints == (
        EndpointSettings(
            url=URL,
            api_key_env="FIRST",
            rpm=500,
            weight=2,
            price=Price(input=0.15, output=0.6, cached=0.075),
        ),
        EndpointSettings(url=URL, api_key_env="SECOND", headers="groq"),
    )


LIMITS: dict[str, Any] = {
    "rpm": 10.0,
    "tpm": 20.0,
    "input_tpm": 30.0,
    "output_tpm": 40.0,
    "rpd": 50.0,
}


def test_a_lane_has_from_the_run_what_it_does_not_say_itself() -> None:
    settings = settings_of(
        {"url": OTHER, "model": "n", "api_key_env": "OTHER", "rpm": 1.0, "max_in_flight": 3},
        endpoint=URL,
        api_key_env="MY_KEY",
        **LIMITS,
    )

    own: dict[str, Any] = {**LIMITS, "rpm": 1.0}

    assert settings.lanes() == (
        EndpointSettings(url=URL, model="m", api="chat", api_key_env="MY_KEY", **LIMITS),
        EndpointSettings(
            url=OTHER,
            model="n",
            api="chat",
            api_key_env="OTHER",
            max_in_flight=3,
            **own,
        ),
    )


@pytest.mark.parametrize(
    ("api", "key"),
    [
        ("chat", "OPENAI_API_KEY"),
        ("completions", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
    ],
)
def test_a_key_is_where_that_of_the_interface_usually_is(api: str, key: str) -> None:
    assert settings_of(endpoint=URL, api=api).lanes()[0].api_key_env == key


def test_the_runs_key_is_not_sent_to_the_other_provider() -> None:
    settings = settings_of({"url": OTHER, "api": "anthropic"}, endpoint=URL, api_key_env="MY_KEY")

    assert [lane.api_key_env for lane in settings.lanes()] == ["MY_KEY", "ANTHROPIC_API_KEY"]


def test_the_embedded_model_is_one_lane() -> None:
    (lane,) = resolve({}, {"endpoint": ["local"]}).lanes()

    assert lane.url == "local"


def test_endpoints_that_name_their_models_need_none_of_the_run() -> None:
    settings = resolve({"endpoints": [{"url": URL, "model": "n"}]}, {})

    assert [lane.model for lane in settings.lanes()] == ["n"]
    with pytest.raises(SettingsError, match="no model named"):
        resolve({"endpoints": [{"url": URL, "model": "n"}, {"url": OTHER}]}, {})


def test_endpoints_of_flags_stand_for_all_of_the_file() -> None:
    from_file = {"model": "m", "endpoint": URL, "endpoints": [{"url": URL, "api_key_env": "K"}]}

    assert [lane.url for lane in resolve(from_file, {"endpoint": [OTHER]}).lanes()] == [OTHER]
    assert len(resolve(from_file, {"endpoint": None}).lanes()) == 2


def test_endpoints_are_read_back_from_toml_as_they_were() -> None:
    settings = settings_of(
        {"url": URL, "price": {"input": 1, "output": 2}, "tpm": 1e6, "headers": "none"},
        {"url": OTHER, "api": "anthropic", "weight": 0.5, "max_in_flight": 4},
        max_cost=1.5,
        first_byte_timeout=20,
    )

    assert resolve(tomllib.loads(to_toml(settings)), {}) == settings


def test_endpoints_may_change_between_sessions() -> None:
    assert differences(settings_of({"url": URL}), settings_of({"url": OTHER, "rpm": 5})) == []


# One line that names the setting.


@pytest.mark.parametrize("name", ["rpm", "tpm", "input_tpm", "output_tpm", "rpd", "weight"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_rates_and_weights_are_positive_and_finite(name: str, value: float) -> None:
    said = refusal({"url": OTHER}, {"url": URL, name: value})

    assert said == f"[[endpoints]] 2: {name} {value}: must be a positive number"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"url": "llm.example"}, "[[endpoints]] 1 llm.example: not a base URL"),
        ({"url": "https://u:secret@h/v1"}, "[[endpoints]] 1: a base URL holds no user"),
        ({"url": "local"}, "[[endpoints]] 1: 'local' is named alone"),
        ({"url": URL, "max_in_flight": 0}, "[[endpoints]] 1: max_in_flight 0: must be at least 1"),
        (
            {"url": URL, "price": {"input": -1, "output": 1}},
            "[[endpoints]] 1: price.input -1.0: must be 0 or more",
        ),
        ({"url": URL, "rmp": 5}, "run.toml: [[endpoints]] 1: unknown setting 'rmp' (did you"),
        (
            {"url": URL, "price": {"inputs": 1}},
            "run.toml: [[endpoints]] 1: price: unknown setting 'inputs' (did you mean 'input'?)",
        ),
        ({"url": URL, "price": {"input": 1}}, "run.toml: 'endpoints[0].price': object missing"),
        ({"model": "m"}, "run.toml: 'endpoints[0]': object missing required field `url`"),
        ({"url": URL, "rpm": "fast"}, "run.toml: 'endpoints[0].rpm': expected `float | null`"),
        ({"url": URL, "headers": "x"}, "run.toml: 'endpoints[0].headers': invalid enum value"),
        (
            {"url": URL, "api": "Chat"},
            "run.toml: 'endpoints[0].api': invalid enum value 'Chat', it is 'chat', 'completions'",
        ),
    ],
)
def test_an_endpoint_that_makes_no_sense_is_told(entry: dict[str, Any], said: str) -> None:
    message = refusal(entry)

    assert message.startswith(said)
    assert "secret" not in message


@pytest.mark.parametrize("entries", [5, ["https://h/v1"], {"url": URL}])
def test_endpoints_of_another_form_are_told(entries: Any) -> None:
    with pytest.raises(SettingsError, match="endpoints"):
        resolve({"model": "m", "endpoints": entries}, {})


@pytest.mark.parametrize("name", ["local", "simulated"])
def test_what_a_run_starts_for_itself_works_alone(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} cannot be combined"):
        resolve({"endpoint": name, "endpoints": [{"url": URL, "model": "m"}]}, {})
    with pytest.raises(SettingsError, match=f"'{name}' is named alone"):
        resolve({"endpoints": [{"url": name, "model": "m"}]}, {})


def test_a_simulated_provider_needs_no_model_named() -> None:
    assert resolve({"endpoint": "simulated"}, {}).model == "simulated"


@pytest.mark.parametrize(
    ("run", "lane"),
    [("chat", "completions"), ("completions", "chat"), ("completions", "anthropic")],
)
def test_prompts_of_one_form_are_not_sent_where_the_other_is_taken(run: str, lane: str) -> None:
    assert refusal({"url": URL, "api": lane}, api=run) == (
        f"{URL}: api '{lane}' cannot take the prompts of a run by '{run}'"
    )


def test_chat_and_anthropic_take_the_same_prompts() -> None:
    settings = settings_of({"url": OTHER, "api": "anthropic"}, {"url": URL, "api": "chat"})

    assert [lane.api for lane in settings.lanes()] == ["anthropic", "chat"]


def test_likelihoods_are_not_asked_of_an_interface_without_completions() -> None:
    assert refusal(
        {"url": URL, "api": "anthropic"}, api="anthropic", classification_api="completions"
    ) == (f"{URL}: api 'anthropic' has no completions, but the run asks them")


@pytest.mark.parametrize(
    "name",
    ["input_tpm", "output_tpm", "rpd", "max_cost", "first_byte_timeout", "stall_timeout"],
)
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_limits_and_budgets_of_a_run_are_positive_and_finite(name: str, value: float) -> None:
    assert refusal(endpoint=URL, **{name: value}) == (
        f"--{name.replace('_', '-')} {value}: must be a positive number"
    )


def test_a_judge_of_its_own_gets_the_judging_and_no_key_that_was_named_for_the_run() -> None:
    given = {"url": "https://j.example/v1", "model": "j"}
    own, judge = resolve({"judge": given}, {**RUN, "api_key_env": "MINE", "rpm": 60}).lanes()

    assert own.stages == ("generation", "classification", "instances")
    assert judge.stages == ("judging",)
    assert (judge.url, judge.model, judge.rpm) == ("https://j.example/v1", "j", None)
    assert (own.api_key_env, judge.api_key_env) == ("MINE", "OPENAI_API_KEY")


def test_a_judge_at_the_run_s_own_address_gets_its_key() -> None:
    given = {"url": URL, "model": "j"}
    _, judge = resolve({"judge": given}, {**RUN, "api_key_env": "MINE"}).lanes()

    assert judge.api_key_env == "MINE"


@pytest.mark.parametrize("given", ["self", {"url": "self"}])
def test_the_run_s_own_endpoints_judge_where_they_are_told_to(given: object) -> None:
    settings = resolve({"judge": given}, RUN)

    assert [lane.stages for lane in settings.lanes()] == [()]
    assert settings.judge is not None


def test_a_second_embedded_model_is_not_started_to_judge_the_first() -> None:
    assert [one.url for one in resolve({}, {"endpoint": "local", "judge": "local"}).lanes()] == [
        "local"
    ]
    lanes = resolve({}, {**RUN, "judge": "local"}).lanes()
    assert [(one.url, one.api) for one in lanes] == [(URL, "chat"), ("local", "chat")]


def test_endpoints_may_divide_the_stages() -> None:
    tables = [
        {"url": URL, "stages": ["generation"]},
        {"url": OTHER, "stages": ["classification", "instances"]},
    ]
    settings = resolve({"endpoints": tables, "model": "m"}, {})

    assert [lane.stages for lane in settings.lanes()] == [
        ("generation",),
        ("classification", "instances"),
    ]
    with pytest.raises(SettingsError, match="no endpoint serves the stage 'judging'"):
        resolve({"endpoints": tables, "model": "m", "judge": "self"}, {})
    with pytest.raises(SettingsError, match="no endpoint serves the stage 'classification'"):
        resolve({"endpoints": tables[:1], "model": "m"}, {})


def test_flags_over_a_judge_s_table() -> None:
    table = {"url": URL, "model": "j", "sampling": {"temperature": 0.5}}
    same = resolve({"judge": table}, {**RUN, "judge_model": "k"}).judge
    other = resolve({"judge": table}, {**RUN, "judge": OTHER, "judge_model": "k"}).judge

    assert same is not None
    assert (same.url, same.model, same.sampling.temperature) == (URL, "k", 0.5)
    assert same.sampling.max_output_tokens == 48
    assert other is not None
    assert (other.url, other.model, other.sampling.temperature) == (OTHER, "k", 0.0)


def test_an_unknown_field_of_a_judge_is_named() -> None:
    with pytest.raises(SettingsError, match=r"\[judge\].*unknown setting 'modle'.*'model'"):
        resolve({"judge": {"url": URL, "modle": "j"}}, RUN)
