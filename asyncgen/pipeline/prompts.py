"""The prompts of the stages, for chat and for completion endpoints.

Fixed text comes first and is the same for every request of a stage, so that
providers and local servers can keep its key-value cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncgen.pipeline.sampling import request_seed
from asyncgen.records import Prompt, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.seeds import Decision, FewShot, WorkedTask
    from asyncgen.records import Sampling, Stage
    from asyncgen.settings import Settings

__all__ = ["CHOICES", "NO_INPUT", "PromptBook"]

CHOICES = (" yes", " no")
"""The two answers of the classification stage, as a completion continues."""

NO_INPUT = "none"
"""What stands for an empty input in a prompt."""

_LIST_HEADER = (
    "Here is a long list of different tasks for a helpful writer. Every task is a clear "
    "instruction of one or two sentences, can be done with words alone, and is unlike the "
    "others:\n\n"
)
_DECISION_HEADER = (
    "A classification task is one whose answer is always one of a few fixed labels. "
    "For each task, say whether it is a classification task.\n\n"
)
_INPUT_FIRST_HEADER = (
    "Below, every task is followed by one or more examples of it: an input to work on and the "
    "correct output. Where a task can be done as it stands, the input is "
    f'"{NO_INPUT}".\n\n'
)
_OUTPUT_FIRST_HEADER = (
    "Below, every task sorts something into one of a few labels. For each label of a task there "
    "is an example: first the label, then an input that deserves it. Where a task can be done as "
    f'it stands, the input is "{NO_INPUT}".\n\n'
)

_CHAT_LIST = (
    "You extend a list of tasks that will be used to teach an assistant to follow instructions. "
    "Write tasks that differ from each other and from those shown in subject, verb, length and "
    "form; mix questions and commands; each must be complete in itself or clearly say what kind "
    "of input it works on, and must be doable with text alone. Answer only with the numbered "
    "tasks, one to a line: no answers to them, no headings."
)
_CHAT_DECISION = _DECISION_HEADER.rstrip() + " Answer with one word, yes or no.\n\n"
_CHAT_SAME_FORM = (
    "Answer for the task you are given, in exactly the form of these examples and with nothing "
    "else.\n\n"
)


class PromptBook:
    """Builds the request of every stage for one run."""

    def __init__(self, settings: Settings, few_shot: FewShot) -> None:
        self._settings = settings
        self._chat = settings.api == "chat"
        same_form = _CHAT_SAME_FORM if self._chat else ""
        self._decide = (_CHAT_DECISION if self._chat else _DECISION_HEADER) + "".join(
            map(_decision, few_shot.decisions)
        )
        self._input_first = (
            _INPUT_FIRST_HEADER + same_form + "".join(map(_input_first, few_shot.input_first))
        )
        self._output_first = (
            _OUTPUT_FIRST_HEADER + same_form + "".join(map(_output_first, few_shot.output_first))
        )

    @property
    def first_number(self) -> int:
        """The number of the first new item in a list."""
        return self._settings.demonstrations + 1

    @property
    def last_number(self) -> int:
        """The number of the last new item that is asked for."""
        return self._settings.demonstrations + self._settings.tasks_per_request

    def generation(self, ordinal: int, demonstrations: Sequence[str]) -> Request:
        """Ask for new instructions after those shown."""
        shown = "\n".join(
            f"{number}. {_one_line(text)}" for number, text in enumerate(demonstrations, start=1)
        )
        if self._chat:
            last = f"\n\nContinue with tasks {self.first_number} to {self.last_number}."
            return self._request("generation", str(ordinal), Prompt(_CHAT_LIST, shown + last))
        prompt = Prompt(_LIST_HEADER, f"{shown}\n{self.first_number}.")
        stop = ("\n\n", f"\n{self.last_number + 1}.")
        return self._request("generation", str(ordinal), prompt, stop=stop)

    def classification(self, task: str, instruction: str) -> Request:
        """Ask whether a task is a classification task."""
        variable = f"Task: {_one_line(instruction)}\nClassification:"
        choices = () if self._chat else CHOICES
        prompt = Prompt(self._decide, variable)
        return self._request("classification", task, prompt, stop=("\n",), choices=choices)

    def instances(self, task: str, instruction: str, *, is_classification: bool) -> Request:
        """Ask for worked examples: label first for classification, else input first."""
        fixed, field = (
            (self._output_first, "Label:") if is_classification else (self._input_first, "Input:")
        )
        # A completion goes on after the first field's name; a chat model writes it itself.
        variable = f"Task: {_one_line(instruction)}\n" + ("" if self._chat else field)
        return self._request("instances", task, Prompt(fixed, variable), stop=("\nTask:",))

    def _request(
        self,
        stage: Stage,
        key: str,
        prompt: Prompt,
        *,
        stop: tuple[str, ...] = (),
        choices: tuple[str, ...] = (),
    ) -> Request:
        sampling: Sampling = getattr(self._settings, stage)
        sampling = msgspec.structs.replace(
            sampling,
            stop=sampling.stop or stop,
            seed=request_seed(self._settings.seed, stage, key),
            choices=choices,
        )
        return Request(stage, key, prompt, sampling)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _decision(example: Decision) -> str:
    answer = "yes" if example.is_classification else "no"
    return f"Task: {_one_line(example.instruction)}\nClassification: {answer}\n\n"


def _input_first(example: WorkedTask) -> str:
    pairs = "".join(
        f"Input: {instance.input or NO_INPUT}\nOutput: {instance.output}\n"
        for instance in example.instances
    )
    return f"Task: {_one_line(example.instruction)}\n{pairs}\n"


def _output_first(example: WorkedTask) -> str:
    pairs = "".join(
        f"Label: {instance.output}\nInput: {instance.input or NO_INPUT}\n"
        for instance in example.instances
    )
    return f"Task: {_one_line(example.instruction)}\n{pairs}\n"
