"""The forms in which a model is asked: headers, and how examples are written.

``DEFAULT`` speaks to a chat model as to one, in turns; ``PAPER`` writes everything out as the
original did, whatever the endpoint. The texts of both are our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asyncgen.settings import english_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.records import Instance
    from asyncgen.settings import Settings

__all__ = ["CHOICES", "Chat", "Form", "form_of"]

CHOICES = (" yes", " no")
"""The two answers of the classification stage, as a completion continues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """What a conversation begins with, by stage; examples then are its turns.

    ``reminder`` is said once more behind the tasks that a generation request shows.
    """

    generation: str
    classification: str
    input_first: str
    output_first: str
    reminder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How questions are written.

    Attributes:
        chat: For conversations; ``None`` where these too get everything as text, the part that
            is the same for many requests as the system message.
        generation, classification, input_first, output_first: What a text begins with, by stage.
        begun: What a chat endpoint is asked that goes on with an answer, and whom it plays; the
            number of items stands for ``{}``.
        listed: From an instruction to how it stands in a list.
        list_stop: From the number that would come after the last to what ends a list.
        decision: What stands behind a task to ask for a decision.
        decided: From a decision to its text.
        decision_stop: What ends a decision.
        choices: The decisions that are wanted where likelihoods can be had.
        worked, labelled: From a task's instances to how they are shown, input or label first.
        instances_stop: From the most instances that are wanted to what ends them.
    """

    chat: Chat | None
    generation: str
    classification: str
    input_first: str
    output_first: str
    begun: tuple[str, str]
    listed: Callable[[str], str]
    list_stop: Callable[[int], tuple[str, ...]]
    decision: str
    decided: Callable[[bool], str]
    decision_stop: tuple[str, ...]
    choices: tuple[str, ...]
    worked: Callable[[Sequence[Instance]], str]
    labelled: Callable[[Sequence[Instance]], str]
    instances_stop: Callable[[int], tuple[str, ...]]


def form_of(settings: Settings) -> Form:
    """Return the form in which a run asks."""
    form = _FORMS[settings.prompts]
    return _in_language(form, english_name(settings.language)) if settings.language else form


def _in_language(form: Form, language: str) -> Form:
    """Ask for another language first of all: what is shown may be English all the same."""
    tasks = f"Write every task in {language}, whatever the language of those shown."
    decision = f"The tasks may be in {language}; yes and no are said in English."
    worked = (
        f"The task is in {language}: write its examples in {language} too, unless it asks for "
        "another language. The names of their parts, such as {}, stay English."
    )
    system, asked = form.begun
    chat = form.chat and Chat(
        generation=f"{form.chat.generation} {tasks}",
        classification=f"{form.chat.classification} {decision}",
        input_first=f"{form.chat.input_first} {worked.format('Input and Output')}",
        output_first=f"{form.chat.output_first} {worked.format('Label and Input')}",
        reminder=f"{tasks} ",
    )
    return replace(
        form,
        chat=chat,
        generation=f"All these tasks are in {language}.\n\n{form.generation}",
        classification=f"{decision}\n\n{form.classification}",
        input_first=f"{worked.format('Input and Output')}\n\n{form.input_first}",
        output_first=f"{worked.format('the label')}\n\n{form.output_first}",
        begun=(system, f"{asked} {tasks}"),
    )


def _yes_no(decision: bool) -> str:  # noqa: FBT001 - what it writes
    return "yes" if decision else "no"


def _worked(instances: Sequence[Instance]) -> str:
    return "\n".join(map(_input_first, instances))


def _input_first(instance: Instance) -> str:
    given = f"Input: {instance.input}\n" if instance.input else ""
    return f"{given}Output: {instance.output}"


def _labelled(instances: Sequence[Instance]) -> str:
    return "\n".join(
        f"Label: {one.output}" + (f"\nInput: {one.input}" if one.input else "") for one in instances
    )


def _numbered(instances: Sequence[Instance]) -> str:
    """Number examples, unless there is one that needs no input."""
    if len(instances) == 1 and not instances[0].input:
        return _input_first(instances[0])
    return "\n".join(
        f"Example {number}\n{_input_first(one)}" for number, one in enumerate(instances, start=1)
    )


def _class_labelled(instances: Sequence[Instance]) -> str:
    return "\n".join(
        f"Class label: {one.output}" + (f"\n{one.input}" if one.input else "") for one in instances
    )


_DECISION = (
    "A classification task is one whose answer is always one of a few fixed labels. "
    "For each task, say whether it is a classification task."
)

DEFAULT = Form(
    chat=Chat(
        generation=(
            "You extend a list of tasks that will be used to teach an assistant to follow "
            "instructions. Write tasks that differ from each other and from those shown in "
            "subject, verb, length and form; mix questions and commands; each must be complete in "
            "itself or clearly say what kind of input it works on, and must be doable with text "
            "alone. Answer only with the numbered tasks, one to a line: no answers to them, no "
            "headings."
        ),
        classification=f"{_DECISION} Answer with one word, yes or no.",
        input_first=(
            "You write worked examples of tasks: an input to work on, where the task needs one, "
            "then the correct output. Answer only in the form of the examples."
        ),
        output_first=(
            "You write worked examples of tasks that sort something into one of a few labels: for "
            "each label, first the label, then an input that deserves it. Answer only in the form "
            "of the examples."
        ),
    ),
    generation=(
        "Here is a long list of different tasks for a helpful writer. Every task is a clear "
        "instruction of one or two sentences, can be done with words alone, and is unlike the "
        "others:\n\n"
    ),
    classification=f"{_DECISION}\n\n",
    input_first=(
        "Below, every task is followed by worked examples of it: the input to work on, where the "
        "task needs one, and the correct output.\n\n"
    ),
    output_first=(
        "Below, every task sorts something into one of a few labels. For each label of a task "
        "there is an example: first the label, then an input that deserves it.\n\n"
    ),
    begun=(
        "You are a helpful AI assistant.",
        (
            "Write a list of {} different tasks for a writing assistant. Each task is one clear "
            "instruction that can be done with text alone."
        ),
    ),
    listed=lambda text: text,
    # At the beginning of a line only: "16." alone would end a list at "in 2016."
    list_stop=lambda number: ("\n\n", f"\n{number}."),
    decision="Classification:",
    decided=_yes_no,
    decision_stop=("\n",),
    choices=CHOICES,
    worked=_worked,
    labelled=_labelled,
    instances_stop=lambda _most: ("\nTask:",),
)

PAPER = Form(
    chat=None,
    generation="Think of many different tasks:\n",
    classification="Has each of these tasks a small, fixed set of labels for answers?\n\n",
    input_first=(
        "Write examples of each of these tasks, several where that is possible. A task that works "
        "on no input is answered at once.\n\n"
    ),
    output_first=(
        "Each of these tasks sorts its input into a few class labels. Write an input for every "
        "label; where a task has none, write the labels alone.\n\n"
    ),
    begun=("", "Think of {} different tasks."),
    listed=lambda text: text.rstrip(":"),
    # The second and third are found inside "2016." as well.
    list_stop=lambda number: ("\n\n", f"\n{number}", f"{number}.", f"{number} ."),
    decision="Is it classification?",
    decided=lambda decision: _yes_no(decision).capitalize(),
    decision_stop=("\n", "Task"),
    choices=(),
    worked=_numbered,
    labelled=_class_labelled,
    instances_stop=lambda most: (f"Example {most + 1}", "Task:"),
)

_FORMS = {"default": DEFAULT, "paper": PAPER}
