"""The request for each thing that a run can ask: the agenda's, and what verification makes anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.pipeline.trial import key_of, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.draft import Draft
    from asyncgen.pipeline.fold import Fold
    from asyncgen.pipeline.prompts import PromptBook
    from asyncgen.records import Request

__all__ = [
    "ask_classification",
    "ask_generation",
    "ask_instances",
    "ask_judge",
    "asked_again",
    "concerns",
]


def ask_generation(fold: Fold, prompts: PromptBook, ordinal: int) -> Request:
    """Ask for new instructions; the pool that it draws from must be known."""
    turn = fold.turn(ordinal)
    return prompts.asked(ordinal, fold.recipe.ask(fold.material, turn), turn.shown)


def ask_classification(prompts: PromptBook, drafts: Sequence[Draft], attempt: int) -> Request:
    """Ask whether drafts are classification tasks: several at once, or one, perhaps again."""
    draft = drafts[0]
    if attempt == 0:
        return prompts.decisions(draft.id, [one.instruction for one in drafts])
    return prompts.classification(draft.id, draft.instruction, attempt=attempt)


def ask_instances(prompts: PromptBook, draft: Draft) -> Request:
    """Ask for the instances of a draft that is decided."""
    return prompts.instances(
        draft.id, draft.instruction, is_classification=bool(draft.is_classification)
    )


def ask_judge(prompts: PromptBook, draft: Draft, number: int, attempt: int) -> Request | None:
    """Ask the judge about an instance of a draft, perhaps again; ``None`` if it has none such."""
    if draft.trial is None or number >= len(draft.trial.instances):
        return None
    key, instance = key_of(draft.id, number, attempt), draft.trial.instances[number]
    return prompts.judging(key, draft.instruction, instance, plainly=attempt > 1)


def asked_again(fold: Fold, prompts: PromptBook, request: Request) -> Request | None:
    """Make the request of that stage and key anew, as settings, seeds and answers lead to it.

    ``None`` if they lead to none. A replay knows the pool of every ordinal that was asked, and
    what a task was decided to be before its instances were.
    """
    if request.stage == "generation":
        ordinal = int(request.key)
        return ask_generation(fold, prompts, ordinal) if fold.may_ask(ordinal) else None
    name, together, _ = request.key.partition("+")
    if together:
        group = fold.group(name)
        return ask_classification(prompts, group, 0) if group else None
    if request.stage == "judging":
        name, number, again = named(request.key)
        draft = fold.draft(name)
        return None if draft is None else ask_judge(prompts, draft, number, again)
    name, _, attempt = request.key.partition("#")
    draft = fold.draft(name)
    if draft is None:
        return None
    if request.stage == "classification":
        return ask_classification(prompts, (draft,), int(attempt or 1))
    return ask_instances(prompts, draft) if draft.is_classification is not None else None


def concerns(fold: Fold, prompts: PromptBook, request: Request) -> bool:
    """Whether a request is of use to a run that did not ask it itself.

    One for instructions is, whatever it showed; one of a later stage if the run kept that very
    instruction, and decided what it is before it comes to instances.
    """
    if request.stage == "generation":
        return True
    anew = asked_again(fold, prompts, request)
    return anew is not None and anew.prompt.variable == request.prompt.variable
