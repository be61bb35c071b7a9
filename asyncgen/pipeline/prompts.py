"""The prompts of the stages, for chat and for completion endpoints.

Fixed text comes first and is the same for every request of a stage, so that
providers and local servers can keep its key-value cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncgen.pipeline.forms import form_of
from asyncgen.pipeline.profiles.values import Numbering
from asyncgen.pipeline.sampling import request_seed
from asyncgen.records import Prompt, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.pipeline.seeds import FewShot, WorkedTask
    from asyncgen.records import Instance, Sampling, Stage
    from asyncgen.settings import Settings

__all__ = ["PromptBook"]

Turns = tuple[tuple[str, str], ...]


class PromptBook:
    """Builds the request of every stage for one run.

    Completion endpoints get the examples as text that goes on, chat endpoints
    as turns of a conversation, if the form has any: that is what each was trained on.
    """

    def __init__(self, settings: Settings, few_shot: FewShot) -> None:
        self._settings = settings
        self._form = form = form_of(settings)
        self._decisions = tuple(
            (self._asked(one.instruction), form.decided(one.is_classification))
            for one in few_shot.decisions
        )
        self._input_first = self._shown(few_shot.input_first, form.worked)
        self._output_first = self._shown(few_shot.output_first, form.labelled)

    @property
    def numbering(self) -> Numbering:
        """How the list of a generation request goes on."""
        settings = self._settings
        continues = settings.api == "completions" or settings.continues
        return Numbering(settings.demonstrations + 1, continues)

    def examples(self, *, is_classification: bool) -> Turns:
        """Return the tasks that an instance request shows, with their worked examples."""
        return self._output_first if is_classification else self._input_first

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
        settings, form = self._settings, self._form
        shown = "\n".join(
            f"{number}. {form.listed(_one_line(text))}"
            for number, text in enumerate(demonstrations, start=1)
        )
        first, last = self.numbering.first, settings.demonstrations + settings.tasks_per_request
        begun, stop = f"{shown}\n{first}.", form.list_stop(last + 1)
        if self.numbering.continues and settings.api != "completions":
            system, asked = form.begun
            turns = ((asked.format(last), ""),)
            prompt = Prompt(system, begun, turns, settings.api, continues=True)
        elif self.numbering.continues or form.chat is None:
            prompt = Prompt(form.generation, begun, api=settings.api)
        else:
            more = f"{shown}\n\n{form.chat.reminder}Continue with tasks {first} to {last}."
            prompt, stop = Prompt(form.chat.generation, more, api=settings.api), ()
        return self._request("generation", key, prompt, stop=stop)

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
        sampling: Sampling = getattr(self._settings, stage)
        most = sampling.max_output_tokens if most is None else most
        sampling = msgspec.structs.replace(
            sampling,
            max_output_tokens=min(sampling.max_output_tokens, most),
            stop=sampling.stop or stop,
            seed=request_seed(self._settings.seed, stage, key),
            choices=choices,
        )
        return Request(stage, key, prompt, sampling)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _written(header: str, turns: Turns, between: str) -> str:
    """Write examples out as text that a completion goes on with."""
    return header + "".join(f"{said}{between}{answer}\n\n" for said, answer in turns)
