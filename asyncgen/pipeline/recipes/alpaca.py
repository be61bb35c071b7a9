"""The recipe ``alpaca``: one request gives whole tasks, instruction, input and output.

The variant of Stanford Alpaca (2023): demonstrations are seeds alone, three of them with their
instances; nothing is asked of a task afterwards. The texts of the prompts are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.pipeline.recipes.blocks import block, read_blocks
from asyncgen.pipeline.recipes.lists import Wording, continued, last_number, numbering
from asyncgen.pipeline.recipes.values import Recipe
from asyncgen.pipeline.sampling import draw_demonstrations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.recipes.values import Candidate, Material, Question, Turn
    from asyncgen.records import Completion

__all__ = ["ALPACA"]

_WISHES = (
    "Every task is worked out: an instruction of one or two sentences, an input to work on, and "
    "the output that a careful assistant would give. No two tasks are alike in verb, subject or "
    "form; questions and commands alternate, and now and then one asks for a label, a list, a "
    "rewriting or a short piece of prose. All of it is {language}, and can be done with words "
    "alone: nothing is to be looked up, heard, seen or drawn. An input is real text with names and "
    "figures in it, never a placeholder, and at most 100 words long; where the instruction says "
    "everything there is none. Outputs are right, complete and shorter than 100 words."
)

_FOREIGN = (
    "Write instructions, inputs and outputs in {language}, whatever the language of those shown; "
    "only the words Instruction, Input and Output stay English."
)


def _wording(language: str) -> Wording:
    """Return what stands before a list of tasks in a language; empty for English."""
    wishes = _WISHES.format(language=language or "English")
    foreign = _FOREIGN.format(language=language) if language else ""
    asked = f"{wishes} {foreign}".rstrip()
    begun = (
        "Write a list of {} different tasks for a writing assistant. Give for each one clear "
        "instruction, the text that it works on, if any, and the right output."
    )
    return Wording(
        text=f"A collection of tasks for teaching an assistant. {asked}\n\n",
        chat=(
            f"You extend a collection of tasks for teaching an assistant. {asked} Answer only with "
            "further numbered tasks in the form of those shown."
        ),
        begun=("You are a helpful AI assistant.", f"{begun} {foreign}".rstrip()),
        reminder=f"{foreign} " if foreign else "",
    )


def _draw(
    material: Material, ordinal: int, _machine: Sequence[str], _known: int
) -> tuple[str, ...]:
    settings = material.settings
    total = settings.demonstrations
    key = (settings.seed, ordinal)
    return tuple(draw_demonstrations(key, material.human, (), total=total, wanted_machine=0))


def _ask(material: Material, turn: Turn) -> Question:
    settings = material.settings
    shown = "\n\n".join(
        block(number, material.seed[name]) for number, name in enumerate(turn.shown, start=1)
    )
    begun = f"{shown}\n\n{numbering(settings).first}. Instruction:"
    stop = (f"\n{last_number(settings) + 1}. Instruction:",)
    return continued(settings, _wording(material.language), shown, begun=begun, stop=stop)


def _read(material: Material, _turn: Turn, completion: Completion) -> tuple[Candidate, ...]:
    return read_blocks(completion, numbering(material.settings), material.profile.normalise)


ALPACA = Recipe(
    name="alpaca",
    method="""\
In the manner of Stanford Alpaca (2023): the model was shown a few seed tasks that people wrote,
with their inputs and outputs, drawn anew for each request, and asked for more whole tasks.
`is_classification` was not asked about and is false.""",
    later=(),
    items=lambda settings: settings.tasks_per_request,
    most=lambda _material: None,
    draw=_draw,
    ask=_ask,
    read=_read,
    written=lambda seed: f"{block(10, seed)}\n\n",
)
