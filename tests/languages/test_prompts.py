"""``--language``: what is asked for, and that nothing changes without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncgen.errors import SettingsError
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import read_few_shot
from asyncgen.settings import Settings, resolve

if TYPE_CHECKING:
    from asyncgen.records import Prompt

FEW_SHOT = read_few_shot()
SHOWN = ["Name a river."] * 8
FORMS: list[dict[str, Any]] = [
    {"endpoint": "http://127.0.0.1:9/v1", "model": "m"},
    {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "api": "completions"},
    {"endpoint": "local"},
    {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "profile": "paper"},
    {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "profile": "paper", "api": "chat"},
]


def _settings(**changes: Any) -> Settings:
    return resolve({}, {"endpoint": "local", **changes})


def _prompts(flags: dict[str, Any]) -> list[Prompt]:
    book = PromptBook(resolve({}, flags), FEW_SHOT)
    return [
        book.generation(0, SHOWN).prompt,
        book.classification("t", SHOWN[0]).prompt,
        book.instances("t", SHOWN[0], is_classification=False).prompt,
        book.instances("t", SHOWN[0], is_classification=True).prompt,
    ]


@pytest.mark.parametrize("flags", FORMS, ids=str)
def test_every_stage_names_the_language_and_else_asks_as_without(flags: dict[str, Any]) -> None:
    for prompt, plain in zip(_prompts({**flags, "language": "de"}), _prompts(flags), strict=True):
        text = prompt.fixed + "".join(map("".join, prompt.turns)) + prompt.variable

        assert "German" in text
        assert prompt.turns[1:] == plain.turns[1:]
        assert plain.fixed in prompt.fixed
        assert prompt.variable.endswith(plain.variable.rsplit("\n", 1)[-1])


def test_the_fixed_part_stays_the_same_for_every_request_of_a_stage() -> None:
    book = PromptBook(resolve({}, {**FORMS[0], "language": "Hindi"}), FEW_SHOT)
    one, other = book.generation(0, SHOWN), book.generation(1, SHOWN[::-1])

    assert one.prompt.fixed == other.prompt.fixed


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("German", "de"),
        ("german", "de"),
        ("DE", "de"),
        ("zh", "zh"),
        ("zh_hant", "zh-Hant"),
        ("Traditional  Chinese", "zh-Hant"),
        ("pt-br", "pt-BR"),
        ("", ""),
    ],
)
def test_a_language_is_given_by_its_english_name_or_its_code(given: str, code: str) -> None:
    assert _settings(language=given).language == code
    assert _settings(require_language=given).require_language == code


@pytest.mark.parametrize(
    ("given", "hint"), [("Germn", "did you mean 'de', German"), ("xx", "no language we know; give")]
)
def test_an_unknown_language_is_refused_with_the_nearest(given: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=hint):
        _settings(language=given)
    with pytest.raises(SettingsError, match=r"^run\.toml: 'require_language' "):
        resolve({"require_language": given}, {"endpoint": "local"}, source="run.toml")


def test_another_language_brings_the_unicode_tokenizer_unless_told_otherwise() -> None:
    assert _settings().tokenizer == "rouge"
    assert _settings(language="en").tokenizer == "rouge"
    assert _settings(language="Thai").tokenizer == "unicode"
    assert _settings(language="Thai", tokenizer="rouge").tokenizer == "rouge"


def test_another_tokenizer_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^--tokenizer: .*it is 'rouge' or 'unicode'"):
        _settings(tokenizer="ascii")
