"""The default profile in other scripts: words, beginnings, repeats, lists, blacklist, language."""

from __future__ import annotations

from typing import Any

import pytest
from languages.material import CODES, seeds_in

from asyncgen.errors import SettingsError
from asyncgen.pipeline.profiles import profile_of
from asyncgen.pipeline.profiles.values import Numbering, first_offence
from asyncgen.records import Completion, Instance
from asyncgen.settings import Settings, resolve


def _settings(**changes: Any) -> Settings:
    return resolve({}, {"endpoint": "local", "tokenizer": "unicode", **changes})


UNICODE = profile_of(_settings())


def _offence(text: str, **changes: Any) -> tuple[str, str] | None:
    return first_offence(profile_of(_settings(**changes)).instruction_rules, text)


def _instance_offences(output: str, instruction: str) -> list[str]:
    instance = Instance("", output)
    return [name for name, rule in UNICODE.instance_rules if rule(instance, instruction)]


def _items(text: str) -> list[str]:
    items = UNICODE.split(Completion(text=text, finish_reason="stop"), Numbering(9, False))  # noqa: FBT003
    return [UNICODE.normalise(one) for one in items.texts]


@pytest.mark.parametrize("code", CODES)
def test_all_seeds_of_a_language_pass_the_rules(code: str) -> None:
    texts = seeds_in(code)

    assert [text for text in texts if first_offence(UNICODE.instruction_rules, text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "写一首诗",
        "".join(chr(0x4E00 + 7 * step) for step in range(150)),
        "แต่งกลอนสี่บรรทัด",
        "俳句を一つ詠んでください",
        "¿Por qué cantan los pájaros?",
        "《红楼梦》的作者是谁？",
        "「花見」とは何か説明して",
        "Über alte Flüsse schreiben.",
        "५ फलों के नाम बताइए",
        "Explain the tides in one line.",
    ],
)
def test_a_short_or_long_task_of_any_script_passes(text: str) -> None:
    assert _offence(text) is None


@pytest.mark.parametrize(
    ("text", "offence"),
    [
        ("写首诗", ("too_short", "3 words")),
        ("字" * 151, ("too_long", "151 words")),
        ("เขียนกลอน", ("too_short", "3 words")),
        ("ก" * 451, ("too_long", "151 words")),
        ("。。。写一首关于雨的诗", ("starts_with_punctuation", "。")),
        ("，写一首关于雨的诗", ("starts_with_punctuation", "，")),
        ("（写一首关于雨的诗", ("starts_with_punctuation", "（")),
        ("★写一首关于雨的诗", ("starts_with_punctuation", "★")),
        ('"sei freundlich" heißt hier was?', ("starts_with_punctuation", '"')),
        ("写一首关于雨的诗。10、解释潮汐的成因。", ("mixed_in_task", "10、解释潮汐的成因。")),
        ("写一首关于雨的诗 Input：雨", ("leaked_template", "Input：")),
        ("写一首诗，" * 12, ("repetitive", "写 一 首 诗 写 一 首 诗 写 一 首 诗")),
    ],
)
def test_what_offends_in_any_script_is_found(text: str, offence: tuple[str, str]) -> None:
    assert _offence(text) == offence


def test_numbers_that_count_on_in_one_task_are_a_list_of_it() -> None:
    assert _offence("请排序：1、苹果。2、梨。3、李子。然后说明理由。") is None


@pytest.mark.parametrize(
    ("output", "offences"),
    [
        ("雨后茶园绿，风来一缕香。", []),
        ("答案如下：", ["ends_with_colon"]),
        ("好的。\nOutput：好", ["output_leaks_template"]),
        ("雨后。\n\n写一首关于茶园的诗", ["output_runs_on"]),
        ("我喜欢吃苹果。" * 9, ["output_repetitive"]),
        ("ฉันชอบกินแอปเปิล " * 9, ["output_repetitive"]),
    ],
)
def test_instances_of_any_script_are_judged(output: str, offences: list[str]) -> None:
    assert _instance_offences(output, "写一首关于茶园的诗") == offences


@pytest.mark.parametrize(
    "text",
    [
        "9. 写诗\n10. 作画",
        "9、写诗\n10、作画",
        "９．写诗\n１０．作画",
        "９、 写诗\n\n１０、 作画",
        "（9）写诗\n（10）作画",
        "9）写诗\n10）作画",
        "९. 写诗\n१०. 作画",
        "๙. 写诗\n๑๐. 作画",
        "**9．** 写诗\n**10．** 作画",
        "好的，以下是任务：\n9：写诗\n10：作画",
    ],
)
def test_lists_are_split_however_their_numbers_are_written(text: str) -> None:
    assert _items(text) == ["写诗", "作画"]


def test_numbers_within_a_task_stay_in_it() -> None:
    assert _items("9. 1、2和3哪个最大？\n10. 说出：\n1、河名\n2、山名\n11、写诗") == [
        "1、2和3哪个最大？",
        "说出：\n1、河名\n2、山名",
        "写诗",
    ]


def test_terms_of_the_blacklist_need_no_blanks_around_them_in_scripts_without() -> None:
    assert _offence("请画一幅图片然后说明") is None
    assert _offence("请画一幅图片然后说明", blacklist_add=["图片"]) == ("blacklisted", "图片")
    assert _offence("Zeichne das Bilderbuch nach.", blacklist_add=["Bilder"]) is None


@pytest.mark.parametrize("code", CODES)
def test_a_required_language_lets_pass_its_own_seeds_and_none_of_the_others(code: str) -> None:
    rules = profile_of(_settings(require_language=code)).instruction_rules
    others = [text for other in CODES if other != code for text in seeds_in(other)]

    assert [text for text in seeds_in(code) if first_offence(rules, text)] == []
    assert {(first_offence(rules, text) or ("passed",))[0] for text in others} == {"wrong_language"}


@pytest.mark.parametrize("text", ["f(x) = 3 x + 12", "OK? 12, 13, 14", "abc def ghi jkl"])
def test_what_cannot_be_told_to_be_of_any_language_passes(text: str) -> None:
    assert _offence(text, require_language="zh") is None


def test_written_varieties_count_as_their_language() -> None:
    text = "點解天空係藍色嘅，你可唔可以解釋畀我聽？"

    assert _offence(text, require_language="zh-Hant") is None
    assert _offence(text, require_language="ja") == ("wrong_language", "yue")


def test_the_paper_s_rules_know_nothing_of_other_scripts_but_may_require_a_language() -> None:
    german = "Erkläre einem Kind in drei Sätzen, warum es Ebbe und Flut gibt."

    assert _offence("写一首关于雨的诗", profile="paper") == ("too_short", "1 words")
    assert _offence("Über alte Flüsse schreiben.", profile="paper") == (
        "starts_with_non_ascii",
        "Ü",
    )
    assert _offence(german, profile="paper") is None
    assert _offence(german, profile="paper", require_language="en") == ("wrong_language", "de")


def test_a_language_that_the_detector_does_not_know_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^--require-language bo: the detector does not know"):
        profile_of(_settings(require_language="Tibetan"))
