"""``--language`` for the recipes that ask otherwise than the default one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from support.session import SEEDS, Session
from support.simulation import answered

from asyncgen.pipeline.recipes import recipe_of
from asyncgen.pipeline.recipes.evol import operation_of
from asyncgen.pipeline.recipes.values import Material, Turn
from asyncgen.pipeline.texts import GivenText
from asyncgen.records import Completion
from asyncgen.settings import resolve

if TYPE_CHECKING:
    from asyncgen.records import Prompt
    from asyncgen.settings import Settings

HOSTED = {"endpoint": "http://127.0.0.1:9/v1", "model": "m"}
FORMS: list[dict[str, Any]] = [
    HOSTED,
    {**HOSTED, "api": "completions"},
    {**HOSTED, "api": "anthropic"},
    {"endpoint": "local"},
]
TEXTS = (GivenText("Der Regen fiel die ganze Nacht auf den alten Hafen.", 1),)


def _settings(form: dict[str, Any], recipe: str, **changes: Any) -> Settings:
    texts = {"texts": "/texts.jsonl"} if recipe == "backtranslate" else {}
    return resolve({}, {**form, "recipe": recipe, **texts, **changes})


def _prompt(settings: Settings) -> Prompt:
    recipe, material = recipe_of(settings), Material(settings, tuple(SEEDS), TEXTS)
    shown = recipe.draw(material, 0, [], 0)
    said = tuple(material.seed[name].instruction for name in shown)
    return recipe.ask(material, Turn(0, shown, said)).prompt


def _text(prompt: Prompt) -> str:
    return prompt.fixed + "".join(map("".join, prompt.turns)) + prompt.variable


@pytest.mark.parametrize("recipe", ["alpaca", "evol", "backtranslate"])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_language_is_named_and_what_is_shown_stays(form: dict[str, Any], recipe: str) -> None:
    prompt = _prompt(_settings(form, recipe, language="de"))
    plain = _prompt(_settings(form, recipe))

    assert "German" in _text(prompt)
    assert "German" not in _text(plain)
    assert prompt.turns[1:] == plain.turns[1:]
    assert plain.variable.rsplit("\n", 1)[-1] in prompt.variable
    assert "All of it is English" not in _text(prompt)


@pytest.mark.parametrize("recipe", ["alpaca", "evol", "backtranslate"])
def test_a_conversation_is_reminded_of_it_behind_what_is_shown(recipe: str) -> None:
    assert "German" in _prompt(_settings(HOSTED, recipe, language="de")).variable


@pytest.mark.parametrize(("language", "offence"), [("de", None), (None, "not_rewritten")])
def test_a_harder_task_in_another_language_need_not_share_a_word_with_its_english_one(
    language: str | None, offence: str | None
) -> None:
    settings = _settings(HOSTED, "evol", language=language)
    ordinal = next(n for n in range(99) if operation_of(settings.seed, n).kind == "deepen")
    turn = Turn(ordinal, ("seed_1",), ("Write a short poem about autumn.",))
    answer = Completion(text="Schreibe ein Gedicht mit sechs Versen.", finish_reason="stop")
    (read,) = recipe_of(settings).read(Material(settings, tuple(SEEDS)), turn, answer)

    assert (read.offence and read.offence[0]) == offence


@pytest.mark.parametrize("recipe", ["alpaca", "evol"])
def test_the_simulated_provider_understands_what_is_asked(recipe: str) -> None:
    session = Session(_settings(HOSTED, recipe, language="de", target=5), answered)
    session.work(4, random.Random(1))

    assert len(session.tasks()) == 5
