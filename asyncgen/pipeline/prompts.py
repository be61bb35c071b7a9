"""The prompts of the stages, for chat and for completion endpoints.

Fixed text comes first and is the same for every request of a stage, so that
providers and local servers can keep its key-value cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncgen.pipeline.forms import form_of
from asyncgen.pipeline.judging import judge_prompt
from asyncgen.pipeline.recipes.self_instruct import list_question
from asyncgen.pipeline.sampling import request_seed
from asyncgen.records import Prompt, Request
from asyncgen.settings import english_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.pipeline.recipes.values import Question
    from asyncgen.pipeline.seeds import FewShot, WorkedTask
    from asyncgen.records import Instance, Stage
    from asyncgen.settings import Settings

__all__ = ["PromptBook"]

Turns = tuple[tuple[str, str], ...]

_DECISION_TOKENS = 8


class PromptBook:
    """Builds the request of every stage for one run.

    Completion endpoints get the examples as text that goes on, chat endpoints
    as turns of a conversation, if the form has any: that is what each was trained on.
    """

    def __init__(self, settings: Settings, few_shot: FewShot) -> None:
        self._settings = settings
        self._few_shot = few_shot
        self._form = form = form_of(settings)
        self._decisions = tuple(
            (self._asked(one.instruction), form.decided(one.is_classification))
            for one in few_shot.decisions
        )
        self._input_first = self._shown(few_shot.input_first, form.worked)
        self._output_first = self._shown(few_shot.output_first, form.labelled)

    def examples(self, *, is_classification: bool) -> Turns:
        """Return the tasks that an instance request shows, with their worked examples."""
        return self._output_first if is_classification else self._input_first

    def generation(
        self, ordinal: int, demonstrations: Sequence[str], ids: Sequence[str] = ()
    ) -> Request:
        """Ask for new instructions after those shown, as the default recipe does.

        Args:
            ordinal: Number of the request.
            demonstrations: What it shows.
            ids: Of those tasks, where the answer is to be traced to them.
        """
        return self.asked(ordinal, list_question(self._settings, demonstrations), ids)

    def asked(self, ordinal: int, question: Question, ids: Sequence[str] = ()) -> Request:
        """Return generation request ``ordinal``, given what it asks and the tasks that it shows."""
        key = str(ordinal)
        request = self._request("generation", key, question.prompt, stop=question.stop)
        return msgspec.structs.replace(request, shown=tuple(ids))

    def classification(self, task: str, instruction: str, *, attempt: int = 1) -> Request:
        """Ask whether a task is a classification task, and more plainly if it was asked before."""
        form, api = self._form, self._settings.classification_api or self._settings.api
        key = task if attempt == 1 else f"{task}#{attempt}"
        asked = self._asked(instruction, plainly=attempt > 1)
        if form.chat is not None and api != "completions":
            prompt = Prompt(form.chat.classification, asked, self._decisions, api)
            return self._request("classification", key, prompt)
        fixed = _written(form.classification, self._decisions, " ")
        prompt = Prompt(fixed, asked, api=api)
        stop, choices = form.decision_stop, form.choices
        return self._request("classification", key, prompt, stop=stop, choices=choices)

    def decisions(self, first: str, instructions: Sequence[str]) -> Request:
        """Ask of several tasks, the first one's id given, which are classification tasks."""
        form, api = self._form, self._settings.classification_api or self._settings.api
        size = len(instructions)
        shown = self._few_shot.decisions
        examples = tuple(
            (
                _numbered([one.instruction for one in shown[at : at + size]]),
                _numbered([form.decided(one.is_classification) for one in shown[at : at + size]]),
            )
            for at in range(0, len(shown) - size + 1, size)
        )
        key, asked = f"{first}+{size - 1}", _numbered(instructions)
        stop: tuple[str, ...] = ("\n\n",)
        if form.chat is not None and api != "completions":
            stop = ()  # an introduction may come first
            header = f"{form.chat.classification} Number the answers as the tasks are numbered."
            prompt = Prompt(header, asked, examples, api)
        else:
            between = f"\n{form.decision}\n"
            fixed = _written(form.classification, examples, between)
            prompt = Prompt(fixed, f"{asked}{between}1.", api=api)
        request = self._request("classification", key, prompt, stop=stop)
        # Room for a number and a word each, and for some that say the task again.
        most = size * max(_DECISION_TOKENS, request.sampling.max_output_tokens)
        sampling = msgspec.structs.replace(request.sampling, max_output_tokens=most)
        return msgspec.structs.replace(request, sampling=sampling)

    def instances(self, task: str, instruction: str, *, is_classification: bool) -> Request:
        """Ask for worked examples: label first for classification, else input first."""
        settings, form = self._settings, self._form
        asked = f"Task: {_one_line(instruction)}\n"
        examples = self.examples(is_classification=is_classification)
        if form.chat is not None and settings.api != "completions":
            header = form.chat.output_first if is_classification else form.chat.input_first
            prompt = Prompt(header, asked.rstrip(), examples, settings.api)
        else:
            header = form.output_first if is_classification else form.input_first
            prompt = Prompt(_written(header, examples, "\n"), asked, api=settings.api)
        stop = form.instances_stop(settings.max_instances)
        most = settings.output_first_tokens if is_classification else None
        return self._request("instances", task, prompt, stop=stop, most=most)

    def judging(
        self, key: str, instruction: str, instance: Instance, *, plainly: bool = False
    ) -> Request:
        """Ask the judge about one instance of a task."""
        settings = self._settings
        prompt = judge_prompt(
            instruction,
            instance,
            settings.judge_api,
            language=english_name(settings.language) if settings.language else "",
            plainly=plainly,
        )
        # A text goes on with the next example.
        stop = ("\n\n",) if prompt.api == "completions" else ()
        return self._request("judging", key, prompt, stop=stop)

    def _asked(self, instruction: str, *, plainly: bool = False) -> str:
        question = self._form.decision
        if plainly:
            question = f"{question[:-1]} (yes or no){question[-1]}"
        return f"Task: {_one_line(instruction)}\n{question}"

    def _shown(
        self, tasks: Sequence[WorkedTask], written: Callable[[Sequence[Instance]], str]
    ) -> Turns:
        """Return as many examples, each with as many instances, as the settings ask for."""
        settings = self._settings
        return tuple(
            (
                f"Task: {_one_line(task.instruction)}",
                written(task.instances[: settings.max_instances]),
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
        most: int | None = None,
    ) -> Request:
        sampling = self._settings.sampling_of(stage)
        most = sampling.max_output_tokens if most is None else most
        sampling = msgspec.structs.replace(
            sampling,
            max_output_tokens=min(sampling.max_output_tokens, most),
            stop=sampling.stop or stop,
            seed=request_seed(self._settings.seed, stage, key),
            choices=choices,
        )
        return Request(stage, key, prompt, sampling)


def _numbered(texts: Sequence[str]) -> str:
    return "\n".join(f"{number}. {_one_line(text)}" for number, text in enumerate(texts, start=1))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _written(header: str, turns: Turns, between: str) -> str:
    """Write examples out as text that a completion goes on with."""
    return header + "".join(f"{said}{between}{answer}\n\n" for said, answer in turns)
