"""The recipe ``self-instruct``: a list of instructions, each then decided on and worked out.

Wang et al., 2022 (arXiv 2212.10560): instructions, classification or not, instances, pruning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.pipeline.forms import form_of
from asyncgen.pipeline.recipes.lists import Wording, continued, last_number, numbering
from asyncgen.pipeline.recipes.values import Candidate, Recipe
from asyncgen.pipeline.sampling import draw_demonstrations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.recipes.values import Material, Question, Turn
    from asyncgen.records import Completion
    from asyncgen.settings import Settings

__all__ = ["SELF_INSTRUCT", "list_question"]


def list_question(settings: Settings, instructions: Sequence[str]) -> Question:
    """Ask for new instructions after those shown."""
    form = form_of(settings)
    shown = "\n".join(
        f"{number}. {form.listed(' '.join(text.split()))}"
        for number, text in enumerate(instructions, start=1)
    )
    chat, reminder = None, ""
    if form.chat is not None:
        chat, reminder = form.chat.generation, form.chat.reminder
    wording = Wording(form.generation, chat, form.begun, reminder)
    begun, stop = f"{shown}\n{numbering(settings).first}.", form.list_stop
    return continued(settings, wording, shown, begun=begun, stop=stop(last_number(settings) + 1))


def _draw(material: Material, ordinal: int, machine: Sequence[str], known: int) -> tuple[str, ...]:
    settings = material.settings
    return tuple(
        draw_demonstrations(
            (settings.seed, ordinal),
            material.human,
            machine,
            total=settings.demonstrations,
            wanted_machine=settings.machine_demonstrations,
            known=known,
        )
    )


def _read(material: Material, _turn: Turn, completion: Completion) -> tuple[Candidate, ...]:
    """Read a list by the profile; of a cut one, items at its end are lost."""
    profile = material.profile
    items = profile.split(completion, numbering(material.settings))
    whole = len(items.texts) - items.lost
    return tuple(
        Candidate(profile.normalise(text), offence=None if position < whole else ("cut_off", ""))
        for position, text in enumerate(items.texts)
    )


SELF_INSTRUCT = Recipe(
    name="self-instruct",
    method="""\
Self-Instruct ([Wang et al., 2022](https://arxiv.org/abs/2212.10560)): starting from seed tasks
that people wrote, the model was shown a few tasks at a time, drawn anew for each request, and
asked for more. It then said of each task whether it is one of classification and wrote instances:
input first, or for classification label first.""",
    later=("classification", "instances"),
    items=lambda settings: settings.tasks_per_request,
    most=lambda _material: None,
    draw=_draw,
    ask=lambda material, turn: list_question(material.settings, turn.instructions),
    read=_read,
    written=lambda seed: f"10. {seed.instruction}\n",
)
