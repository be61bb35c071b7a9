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
    from collections.abc import Callable, Sequence

    from asyncgen.pipeline.seeds import Decision, FewShot, WorkedTask
    from asyncgen.records import Instance, Sampling, Stage
    from asyncgen.settings import Settings

__all__ = ["CHOICES", "PromptBook"]

CHOICES = (" yes", " no")
"""The two answers of the classification stage, as a completion continues."""

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
    "Below, every task is followed by worked examples of it: the input to work on, where the task "
    "needs one, and the correct output.\n\n"
)
_OUTPUT_FIRST_HEADER = (
    "Below, every task sorts something into one of a few labels. For each label of a task there "
    "is an example: first the label, then an input that deserves it.\n\n"
)

_CHAT_LIST = (
    "You extend a list of tasks that will be used to teach an assistant to follow instructions. "
    "Write tasks that differ from each other and from those shown in subject, verb, length and "
    "form; mix questions and commands; each must be complete in itself or clearly say what kind "
    "of input it works on, and must be doable with text alone. Answer only with the numbered "
    "tasks, one to a line: no answers to them, no headings."
)
_ASSISTANT = "You are a helpful AI assistant."
_BEGUN_LIST = (
    "Write a list of {} different tasks for a writing assistant. Each task is one clear "
    "instruction that can be done with text alone."
)
_CHAT_DECISION = _DECISION_HEADER.rstrip() + " Answer with one word, yes or no."
_CHAT_INPUT_FIRST = (
    "You write worked examples of tasks: an input to work on, where the task needs one, then the "
    "correct output. Answer only in the form of the examples."
)
_CHAT_OUTPUT_FIRST = (
    "You write worked examples of tasks that sort something into one of a few labels: for each "
    "label, first the label, then an input that deserves it. Answer only in the form of the "
    "examples."
)


class PromptBook:
    """Builds the request of every stage for one run.

    Completion endpoints get the examples as text that goes on, chat endpoints
    as turns of a conversation: that is the form which each was trained on.
    """

    def __init__(self, settings: Settings, few_shot: FewShot) -> None:
        self._settings = settings
        self._few_shot = few_shot
        self._input_first = self._shown(few_shot.input_first, _input_first)
        self._output_first = self._shown(few_shot.output_first, _output_first)
        self._decisions = tuple(map(_decision, few_shot.decisions))

    @property
    def first_number(self) -> int:
        """The number of the first new item in a list."""
        return self._settings.demonstrations + 1

    @property
    def last_number(self) -> int:
        """The number of the last new item that is asked for."""
        return self._settings.demonstrations + self._settings.tasks_per_request

    @property
    def list_continues(self) -> bool:
        """Whether the answer to a generation request goes on behind the first number."""
        return self._settings.api == "completions" or self._settings.continues

    def generation(
        self, ordinal: int, demonstrations: Sequence[str], ids: Sequence[str] = ()
    ) -> Request:
        """Ask for new instructions after those shown.

        Args:
            ordinal: Number of the request.
            demonstrations: What it shows.
            ids: Of those tasks, where the answer is to be traced to them.
        """
        request = self._generation(str(ordinal), demonstrations)
        return msgspec.structs.replace(request, shown=tuple(ids))

    def _generation(self, key: str, demonstrations: Sequence[str]) -> Request:
        shown = "\n".join(
            f"{number}. {_one_line(text)}" for number, text in enumerate(demonstrations, start=1)
        )
        settings = self._settings
        if not self.list_continues:
            last = f"\n\nContinue with tasks {self.first_number} to {self.last_number}."
            prompt = Prompt(_CHAT_LIST, shown + last, api=settings.api)
            return self._request("generation", key, prompt)
        begun = f"{shown}\n{self.first_number}."
        prompt = Prompt(_LIST_HEADER, begun, api="completions")
        if settings.api != "completions":
            asked = _BEGUN_LIST.format(self.last_number)
            prompt = Prompt(_ASSISTANT, begun, ((asked, ""),), settings.api, continues=True)
        stop = ("\n\n", f"\n{self.last_number + 1}.")
        return self._request("generation", key, prompt, stop=stop)

    def classification(self, task: str, instruction: str) -> Request:
        """Ask whether a task is a classification task."""
        asked = f"Task: {_one_line(instruction)}\nClassification:"
        api = self._settings.classification_api or self._settings.api
        if api != "completions":
            prompt = Prompt(_CHAT_DECISION, asked, self._decisions, api)
            return self._request("classification", task, prompt)
        prompt = Prompt(_written(_DECISION_HEADER, self._decisions), asked, api="completions")
        return self._request("classification", task, prompt, stop=("\n",), choices=CHOICES)

    def instances(self, task: str, instruction: str, *, is_classification: bool) -> Request:
        """Ask for worked examples: label first for classification, else input first."""
        asked = f"Task: {_one_line(instruction)}\n"
        examples = self._output_first if is_classification else self._input_first
        api = self._settings.api
        if api != "completions":
            header = _CHAT_OUTPUT_FIRST if is_classification else _CHAT_INPUT_FIRST
            prompt = Prompt(header, asked.rstrip(), examples, api)
        else:
            header = _OUTPUT_FIRST_HEADER if is_classification else _INPUT_FIRST_HEADER
            prompt = Prompt(_written(header, examples), asked, api="completions")
        return self._request("instances", task, prompt, stop=("\nTask:",))

    def _shown(
        self, tasks: Sequence[WorkedTask], example: Callable[[Instance], str]
    ) -> tuple[tuple[str, str], ...]:
        """Return as many examples, each with as many instances, as the settings ask for."""
        settings = self._settings
        return tuple(
            (
                f"Task: {_one_line(task.instruction)}",
                "\n".join(map(example, task.instances[: settings.max_instances])),
            )
            for task in tasks[: settings.few_shot]
        )

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


def _written(header: str, turns: tuple[tuple[str, str], ...]) -> str:
    """Write examples out as text that a completion goes on with."""
    return header + "".join(f"{said}{_between(said)}{answer}\n\n" for said, answer in turns)


def _between(said: str) -> str:
    return " " if said.endswith(":") else "\n"


def _decision(example: Decision) -> tuple[str, str]:
    answer = "yes" if example.is_classification else "no"
    return f"Task: {_one_line(example.instruction)}\nClassification:", answer


def _input_first(instance: Instance) -> str:
    given = f"Input: {instance.input}\n" if instance.input else ""
    return f"{given}Output: {instance.output}"


def _output_first(instance: Instance) -> str:
    given = f"\nInput: {instance.input}" if instance.input else ""
    return f"Label: {instance.output}{given}"
