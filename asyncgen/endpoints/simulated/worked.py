"""Simulated worked examples of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.endpoints.simulated.chance import mixed
from asyncgen.endpoints.simulated.phrases import filled, phrases
from asyncgen.endpoints.simulated.seeds import seed_instances, seed_texts
from asyncgen.endpoints.simulated.tasks import labels_of, takes_input

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated.questions import Work

__all__ = ["worked_examples"]

_PROSE = phrases("""
    the {quality} {thing} belongs to {person}, who keeps it {place}.
    its {aspect} surprised {person}, though the {aspect} did not.
    {person} brought a {quality} {thing} and asked about its {aspect}.
    nobody {place} had seen such a {quality} {thing} before.
    a {thing} needs little {aspect}, but a {quality} one needs {aspect}.
    last year, {person} swapped a {thing} for a {quality} {thing}.
    for {aspect}, {person} would choose a {quality} {thing} {place}.
    it was {label} rather than {label}, as {person} said {place}.
""")


def worked_examples(question: Work, key: int) -> str:
    """Return the examples of a task as the few-shot prompts write them.

    Args:
        question: What is asked.
        key: Decides everything that the instruction leaves open.
    """
    pairs = _pairs(question, key)
    if question.label_first:
        write = _class_labelled if question.numbered else _label_first
        return "\n".join(write(given, output) for given, output in pairs)
    written = [_input_first(given, output) for given, output in pairs]
    if question.numbered and pairs != [("", pairs[0][1])]:
        written = [f"Example {number}\n{one}" for number, one in enumerate(written, start=1)]
    return "\n".join(written)


def _pairs(question: Work, key: int) -> list[tuple[str, str]]:
    """Return inputs and outputs, as many as the key says or the task has labels."""
    task = question.task
    known = seed_instances().get(task)
    if known is not None:
        return [(given.input, given.output) for given in known]
    if question.label_first:
        return [(_text(key, number), label) for number, label in enumerate(labels_of(task), 1)]
    if takes_input(task):
        count = 1 + key % 3
        return [(_text(key, number), _text(key, 50 + number)) for number in range(1, count + 1)]
    return [("", _text(key, 1))]


def _text(key: int, salt: int) -> str:
    """Return two or three sentences, one of them now and then out of the seeds."""
    bits = mixed(key, 300 + salt)
    sentences = [filled(_PROSE, mixed(bits, number)) for number in range(2)]
    if bits % 4 == 0:
        sentences.append(seed_texts()[(bits >> 8) % len(seed_texts())])
    return " ".join(sentences)


def _label_first(given: str, label: str) -> str:
    return f"Label: {label}\nInput: {given}" if given else f"Label: {label}"


def _class_labelled(given: str, label: str) -> str:
    return f"Class label: {label}\n{given}" if given else f"Class label: {label}"


def _input_first(given: str, output: str) -> str:
    return f"Input: {given}\nOutput: {output}" if given else f"Output: {output}"
