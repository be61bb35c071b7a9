"""Simulated worked examples of a task."""

from __future__ import annotations

from asyncgen.endpoints.simulated.chance import mixed
from asyncgen.endpoints.simulated.phrases import filled, phrases
from asyncgen.endpoints.simulated.seeds import seed_instances, seed_texts
from asyncgen.endpoints.simulated.tasks import labels_of, takes_input

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


def worked_examples(task: str, key: int, *, label_first: bool) -> str:
    """Return the examples of a task as the few-shot prompts write them.

    Args:
        task: The instruction, on one line.
        key: Decides everything that the instruction leaves open.
        label_first: Whether each example begins with its label.
    """
    known = seed_instances().get(task)
    if known is not None:
        pairs = [(given.input, given.output) for given in known]
    elif label_first:
        pairs = [
            (_text(key, number), label) for number, label in enumerate(labels_of(task), start=1)
        ]
    elif takes_input(task):
        count = 1 + key % 3
        pairs = [(_text(key, number), _text(key, 50 + number)) for number in range(1, count + 1)]
    else:
        pairs = [("", _text(key, 1))]
    written = _label_first if label_first else _input_first
    return "\n".join(written(given, output) for given, output in pairs)


def _text(key: int, salt: int) -> str:
    """Return two or three sentences, one of them now and then out of the seeds."""
    bits = mixed(key, 300 + salt)
    sentences = [filled(_PROSE, mixed(bits, number)) for number in range(2)]
    if bits % 4 == 0:
        sentences.append(seed_texts()[(bits >> 8) % len(seed_texts())])
    return " ".join(sentences)


def _label_first(given: str, label: str) -> str:
    return f"Label: {label}\nInput: {given}" if given else f"Label: {label}"


def _input_first(given: str, output: str) -> str:
    return f"Input: {given}\nOutput: {output}" if given else f"Output: {output}"
