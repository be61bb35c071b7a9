"""The recipe ``backtranslate``: given texts, each with the instruction that it would answer.

After instruction backtranslation (Li et al., 2023, arXiv 2308.06259), without its curation by
a second model. The output of a task is the text as it was given.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.recipes.single import after_examples, only_paragraph
from asyncgen.pipeline.recipes.values import Candidate, Recipe
from asyncgen.records import Instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.recipes.values import Material, Question, Turn
    from asyncgen.records import Api, Completion, Reason

__all__ = ["BACKTRANSLATE"]

_HEADER = (
    "Each text that you are given was written by somebody to follow an instruction. Answer with "
    "that instruction, as it may have been given: one or two sentences that ask for just such a "
    "text, its subject named. Write nothing besides."
)
_QUESTION = "What was its writer asked to do?"
_MOST_COPIED = 8
"""Words in a row; quoted titles are shorter, and no request says more of its answer."""

_TEXT = "Every text below is followed by the instruction that its writer was given.\n\n"


def _draw(
    material: Material, _ordinal: int, _machine: Sequence[str], _known: int
) -> tuple[str, ...]:
    """Draw the same seeds for all requests, so that their texts are a prefix to be cached."""
    settings = material.settings
    apt = [seed.id for seed in material.seeds if _is_apt(seed.instances[0], seed.is_classification)]
    generator = random.Random(f"examples:{settings.seed}")  # noqa: S311 - no secret
    return tuple(generator.sample(apt, min(settings.demonstrations, len(apt))))


def _is_apt(instance: Instance, is_classification: bool) -> bool:  # noqa: FBT001 - a fact of a seed
    """Whether an output stands for itself."""
    return not instance.input and not is_classification


def _ask(material: Material, turn: Turn) -> Question:
    api = material.settings.api
    examples = [
        (_given(material.seed[name].instances[0].output, api), " ".join(text.split()))
        for name, text in zip(turn.shown, turn.instructions, strict=True)
    ]
    asked = _given(material.texts[turn.ordinal].text, api)
    headers = (_HEADER, _TEXT)
    if language := material.language:
        foreign = f"The instruction is in {language}, whatever the language of the text."
        headers = (f"{_HEADER} {foreign}", f"{foreign} {_TEXT}")
        asked += "" if api == "completions" else f" Answer in {language}."
    return after_examples(headers, examples, asked, "Instruction:", api)


def _given(text: str, api: Api) -> str:
    """Write a text, and for a conversation the question behind it: small models forget headers."""
    return f"Text: {text.strip()}" + ("" if api == "completions" else f"\n\n{_QUESTION}")


def _read(material: Material, turn: Turn, completion: Completion) -> tuple[Candidate, ...]:
    instruction = only_paragraph(completion.text)
    if not instruction:
        return ()
    given = material.texts[turn.ordinal]
    offence: tuple[Reason, str] | None = None
    if completion.finish_reason == "length":
        offence = ("cut_off", "")
    elif (copied := _copied(instruction, given.text)) is not None:
        offence = ("copies_text", copied)
    return (
        Candidate(
            material.profile.normalise(instruction),
            (Instance("", given.text.strip()),),
            offence,
            row=given.row,
        ),
    )


def _copied(instruction: str, text: str) -> str | None:
    """Return words in a row that an instruction has out of its text: all of it, or many."""
    words, given = (re.findall(r"\w+", one.lower()) for one in (instruction, text))
    length = min(len(words), _MOST_COPIED)
    runs = {tuple(given[at : at + length]) for at in range(len(given) - length + 1)}
    for at in range(len(words) - length + 1):
        run = words[at : at + length]
        if tuple(run) in runs:
            return " ".join(run)
    return None


BACKTRANSLATE = Recipe(
    name="backtranslate",
    method="""\
In the manner of instruction backtranslation ([Li et al., 2023](https://arxiv.org/abs/2308.06259)):
outputs are texts that the owner gave, whose own rights hold; the model wrote for each the
instruction that it may have answered. `is_classification` was not asked about and is false.""",
    later=(),
    items=lambda _settings: 1,
    most=lambda material: len(material.texts),
    draw=_draw,
    ask=_ask,
    read=_read,
    written=lambda seed: seed.instruction,
)
