"""Settings are merged, checked once, frozen, and read back as they were."""

from __future__ import annotations

import math
import tomllib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from settings.material import HOSTED, refusal, settings_of

from asyncgen.errors import SettingsError
from asyncgen.records import Sampling
from asyncgen.settings import (
    CHANGEABLE,
    EMBEDDED_PRESET,
    EndpointSettings,
    JudgeSettings,
    Settings,
    differences,
    read_toml,
    resolve,
    to_toml,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_defaults_stand_where_nothing_is_said() -> None:
    settings = settings_of()

    assert settings == Settings(endpoint=("https://llm.example/v1",), model="m")
    assert settings.classification == Sampling(max_output_tokens=8, temperature=0.0)


def test_flags_override_the_file() -> None:
    settings = resolve({**HOSTED, "target": 5, "seed": 1}, {"target": 7, "model": "other"})

    assert (settings.target, settings.seed, settings.model) == (7, 1, "other")


def test_flags_that_were_not_given_override_nothing() -> None:
    assert resolve({**HOSTED, "rpm": 5.0}, {"rpm": None, "model": None}).rpm == 5


def test_a_stage_keeps_the_defaults_that_it_does_not_mention() -> None:
    settings = settings_of(generation={"top_p": 0.9})

    assert settings.generation == Sampling(max_output_tokens=1024, temperature=0.7, top_p=0.9)


@pytest.mark.parametrize("endpoint", ["http://h/v1", ["http://h/v1"], ("http://h/v1",)])
def test_one_endpoint_needs_no_list(endpoint: Any) -> None:
    assert settings_of(endpoint=endpoint).endpoint == ("http://h/v1",)


@pytest.mark.parametrize("endpoint", ["local", ["local"], ("local",)])
def test_the_embedded_model_has_its_own_defaults(endpoint: Any) -> None:
    settings = resolve({}, {"endpoint": endpoint})

    assert settings.is_embedded
    assert settings.model == ""
    assert settings.api == EMBEDDED_PRESET["api"]
    assert settings.max_in_flight == EMBEDDED_PRESET["max_in_flight"]
    assert settings.generation == Sampling(**EMBEDDED_PRESET["generation"])
    assert settings.classification == Sampling(max_output_tokens=8, temperature=0.0)


def test_what_is_said_goes_before_the_embedded_models_defaults() -> None:
    settings = resolve({"generation": {"top_k": 5}}, {"endpoint": ["local"], "api": "chat"})

    assert settings.api == "chat"
    expected = {**EMBEDDED_PRESET["generation"], "top_k": 5}
    assert msgspec.to_builtins(settings.generation) == expected


def test_a_hosted_run_does_not_get_the_embedded_models_defaults() -> None:
    assert not settings_of().is_embedded
    assert settings_of().api == "chat"


_SAMPLING = st.fixed_dictionaries(
    {},
    optional={
        "max_output_tokens": st.sampled_from([1, 8, 256, 1024]) | st.integers(1, 10**6),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(0, 100),
        "presence_penalty": st.floats(allow_nan=False, allow_infinity=False),
        "stop": st.lists(st.text(max_size=5), max_size=3),
        "seed": st.integers(0, 2**31),
    },
)


# What is frozen in the run folder is what was resolved.


@given(
    from_file=st.fixed_dictionaries(
        {
            "endpoint": st.sampled_from(["local", "http://h/v1"]),
            "model": st.text(min_size=1, max_size=10),
        },
        optional={
            "api": st.sampled_from(["chat", "completions"]),
            "target": st.integers(1, 10**12),
            "seed": st.integers(),
            "seeds": st.text(max_size=20),
            "threshold": st.floats(0.01, 1),
            "rpm": st.floats(0.1, 1e9),
            "slots": st.integers(1, 64),
            "generation": _SAMPLING,
            "classification": _SAMPLING,
            "instances": _SAMPLING,
        },
    )
)
def test_settings_are_read_back_from_toml_as_they_were(from_file: dict[str, Any]) -> None:
    settings = resolve(from_file, {})

    assert resolve(tomllib.loads(to_toml(settings)), {}) == settings


@pytest.mark.parametrize("stage", ["generation", "classification", "instances"])
def test_a_stage_that_is_set_to_the_default_of_others_is_read_back_too(stage: str) -> None:
    settings = settings_of(**{stage: {"max_output_tokens": 256}})

    assert "max_output_tokens = 256" in to_toml(settings)
    assert resolve(tomllib.loads(to_toml(settings)), {}) == settings


def test_settings_are_read_back_from_disk(tmp_path: Path) -> None:
    settings = settings_of(seeds='C:\\new "seeds"\u2028.jsonl', tpm=1e5)
    path = tmp_path / "settings.toml"
    path.write_text(to_toml(settings), "utf-8")

    assert resolve(read_toml(path), {}) == settings


# A resume that would change the dataset is told by name.


OTHER: dict[str, Any] = {
    "endpoint": ("http://other/v1",),
    "endpoints": (EndpointSettings(url="http://other/v1"),),
    "model": "other",
    "api": "completions",
    "api_key_env": "OTHER_KEY",
    "seeds": "/elsewhere.jsonl",
    "seeds_sha256": "abc",
    "exclude": ("/elsewhere.jsonl",),
    "exclude_sha256": ("abc",),
    "threshold": 0.5,
    "recipe": "alpaca",
    "texts": "/elsewhere.jsonl",
    "texts_sha256": "abc",
    "profile": "paper",
    "prompts": "paper",
    "tokenizer": "unicode",
    "language": "de",
    "require_language": "de",
    "blacklist_add": ("whale",),
    "blacklist_remove": ("map",),
    "rpm": 1.0,
    "tpm": 1.0,
    "model_path": "/m.gguf",
    "hub": "a/b",
    "slots": 4,
    "judge": JudgeSettings(url="https://j/v1", model="other"),
    "generation": Sampling(top_p=0.5),
    "classification": Sampling(top_p=0.5),
    "instances": Sampling(top_p=0.5),
}


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_each_setting_of_the_identity_is_named_with_both_values(name: str) -> None:
    frozen = settings_of()
    before = getattr(frozen, name)
    after = OTHER[name] if name in OTHER else (before or 0) + 1
    found = differences(frozen, msgspec.structs.replace(frozen, **{name: after}))

    if name in CHANGEABLE or name in {"seeds", "exclude", "texts"}:
        assert found == []
    elif name == "judge":
        assert found == ["judge: None → 'other'"]
    elif name == "exclude_sha256":
        assert len(found) == 1
        assert found[0].startswith("exclude: ")
    else:
        assert found == [f"{name}: {before!r} → {after!r}"]


def test_the_bound_of_saturation_may_be_lowered_and_not_raised() -> None:
    frozen = settings_of(saturation_bound=0.02)
    lower, higher = (settings_of(saturation_bound=bound) for bound in (0.0, 0.03))

    assert differences(frozen, lower) == []
    assert differences(frozen, higher) == ["saturation_bound: 0.02 → 0.03"]
    assert differences(frozen, lower, passing_over=()) == ["saturation_bound: 0.02 → 0.0"]


@pytest.mark.parametrize("value", [-0.01, 1.0, math.nan, math.inf])
def test_the_bound_of_saturation_lies_in_its_range(value: float) -> None:
    said = refusal({**HOSTED, "saturation_bound": value})

    assert said == f"--saturation-bound {value}: must lie in [0, 1); 0 is for never"


def test_excluded_files_are_told_by_name_and_content() -> None:
    frozen = settings_of()
    one = msgspec.structs.replace(frozen, exclude=("/a.csv",), exclude_sha256=("0123456789",))
    changed = msgspec.structs.replace(one, exclude_sha256=("abcdefghij",))

    assert differences(frozen, one) == ["exclude: nothing → /a.csv (sha256 01234567…)"]
    assert differences(one, changed) == [
        "exclude: /a.csv (sha256 01234567…) → /a.csv (sha256 abcdefgh…)"
    ]


def test_equal_settings_have_no_differences() -> None:
    assert differences(settings_of(), settings_of()) == []


def test_changeable_settings_are_settings() -> None:
    assert set(Settings.__struct_fields__) >= CHANGEABLE


def refused(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        read_toml(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "no.toml"
    assert refused(path) == f"{path}: cannot be read (No such file or directory)"


def test_a_folder_instead_of_a_file_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path}: cannot be read (Is a directory)"


@pytest.mark.parametrize("content", [b"target: 5\n", b"target = ", b"a = 1\na = 2", b"\xff="])
def test_what_is_not_toml_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(content)

    assert refused(path).startswith(f"{path}: not TOML: ")


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.touch()

    assert read_toml(path) == {}


@pytest.mark.parametrize("endpoint", ["https://llm.example/v1", "local"])
@pytest.mark.parametrize("profile", ["default", "paper"])
def test_what_a_run_asks_does_not_change_with_the_profile_that_reads_it(
    endpoint: str, profile: str
) -> None:
    """What is frozen names the form of the prompts, so that another profile brings nothing."""
    frozen = resolve({"endpoint": endpoint, "model": "m"}, {"profile": profile})
    other = "paper" if profile == "default" else "default"
    again = resolve({**tomllib.loads(to_toml(frozen)), "profile": other}, {})

    assert frozen.prompts == profile
    assert differences(frozen, again) == [f"profile: '{profile}' → '{other}'"]


def test_an_unknown_profile_is_refused_with_those_there_are() -> None:
    assert refusal(HOSTED, {"profile": "papr"}).endswith("it is 'default' or 'paper'")
    assert refusal({**HOSTED, "prompts": 3}).endswith("it is 'default' or 'paper'")
