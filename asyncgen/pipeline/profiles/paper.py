"""The profile ``paper``: every rule of the original as it is, defects included.

So that results can be compared with those of its code (github yizhongw/self-instruct at
0b26ccaa: ``bootstrap_instructions.py``, ``identify_clf_or_not.py``, ``generate_instances.py``,
``prepare_for_finetuning.py``). Where that was not deterministic, this is: instances that occur
twice keep their first place (the original's ``set`` had none), and which five of more stay, in
which order, is drawn with a generator keyed by the run's seed and the task.

It reads what the prompts of the same name ask for. A chat endpoint answers them rather than
going on with them; of its lists the number that the prompt ended in is taken off.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles import instance_rules, instruction_rules
from asyncgen.pipeline.profiles.blacklist import ORIGINAL, blacklist
from asyncgen.pipeline.profiles.values import Items, ParsedInstances, Profile
from asyncgen.records import Instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.profiles.values import InstanceRule, Numbering
    from asyncgen.records import Completion

__all__ = ["paper"]

INSTANCE_RULES: tuple[InstanceRule, ...] = (
    ("output_equals_input", instance_rules.output_equals_input),
    ("output_empty", instance_rules.output_empty),
    ("ends_with_colon", instance_rules.ends_with_colon),
)


def paper(blacklist_add: Sequence[str] = (), blacklist_remove: Sequence[str] = ()) -> Profile:
    """Return the profile, its blacklist edited; its rules know nothing of other scripts.

    Raises:
        SettingsError: If the edits make no sense.
    """
    blacklisted = blacklist(ORIGINAL, add=blacklist_add, remove=blacklist_remove)
    return Profile(
        split=_items,
        normalise=_capitalised,
        instruction_rules=(
            ("empty", instruction_rules.empty),
            ("too_short", instruction_rules.too_short),
            ("too_long", instruction_rules.too_long),
            ("blacklisted", blacklisted),
            ("asks_for_program", instruction_rules.begins_write_a_program),
            ("starts_with_punctuation", instruction_rules.starts_with_punctuation),
            ("starts_with_non_ascii", instruction_rules.starts_with_non_ascii),
        ),
        read_decision=_decision,
        asks_again=False,
        read_instances=_instances,
        instance_rules=INSTANCE_RULES,
        conflict=_contradict,
        choose=_sample,
    )


def _items(completion: Completion, numbering: Numbering) -> Items:
    """Split at every number that begins a line; of a cut answer all items are lost."""
    text = completion.text
    if not numbering.continues:
        text = re.sub(rf"\A\s*{numbering.first}\s?\. ", "", text)
    texts = tuple(re.split(r"\n\d+\s?\. ", text))
    return Items(texts, lost=len(texts) if completion.finish_reason == "length" else 0)


def _capitalised(text: str) -> str:
    """Collapse white space, and lower the case of all letters but the first."""
    return re.sub(r"\s+", " ", text).strip().capitalize()


def _decision(completion: Completion, _yes_bias: float) -> bool:
    """Three literals mean yes; everything else means no, a failed request too."""
    failed = completion.finish_reason in {"error", "content_filter"}
    return not failed and completion.text.strip() in {"Yes", "yes", "YES"}


_EXAMPLE = re.compile(r"Example\s?\d*\.?")
_OUTPUT = re.compile(r"Output\s*\d*\s*:")
_INPUT = re.compile(r"Input\s*\d*\s*:")


def _instances(
    completion: Completion,
    is_classification: bool,  # noqa: FBT001 - what every profile's reader is told
) -> ParsedInstances:
    """Read instances; an answer that was cut off loses the last."""
    text = completion.text.strip()
    pairs = _labelled(text) if is_classification else _worked(text)
    cut = completion.finish_reason == "length" and bool(pairs)
    return ParsedInstances(tuple(pairs), last_is_cut=cut)


def _worked(text: str) -> list[Instance]:
    """Split at "Example" wherever it stands; without it and without "Output:" there is none."""
    if _EXAMPLE.search(text):
        return [_pair(part.strip()) for part in _EXAMPLE.split(text) if part.strip()]
    return [_pair(text)] if _OUTPUT.search(text) else []


def _pair(text: str) -> Instance:
    """Take what stands before the first "Output:", and what stands between it and the second."""
    given, output = "", text.strip()
    if _OUTPUT.search(text):
        given, output = (part.strip() for part in _OUTPUT.split(text)[:2])
    output = _INPUT.split(output)[0].strip()
    return Instance(re.sub(rf"^{_INPUT.pattern}", "", given).strip(), output)


def _labelled(text: str) -> list[Instance]:
    """Take the line behind each "Class label:" for the output, what follows for the input."""
    pairs: list[Instance] = []
    for part in text.split("Class label:")[1:]:
        label, _, given = part.strip().partition("\n")
        pairs.append(Instance(given.strip(), label.strip()))
    return pairs


def _contradict(instances: Sequence[Instance]) -> bool:
    """One input has several outputs; not seen where the input is empty."""
    given = [one.input for one in instances if one.input]
    return len(set(given)) < len(given)


def _sample(instances: Sequence[Instance], at_most: int, key: str) -> list[Instance]:
    """Draw, which changes the order of few as well."""
    generator = random.Random(f"instances:{key}")  # noqa: S311 - no secret
    return generator.sample(list(instances), min(at_most, len(instances)))
