"""The profile ``default``: the original's rules with their defects mended.

An instruction keeps its case; a cut answer loses only what was cut; lists are split by their
numbers, so that a list inside an instruction stays in it; the blacklist spares phrases that
ask for nothing but text; field names count at the beginnings of lines only; two answers to one
input are a conflict, without an input as well; yes and no are understood in a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles import instance_rules, instruction_rules, refusals
from asyncgen.pipeline.profiles.blacklist import HARMLESS, MENDED, blacklist
from asyncgen.pipeline.profiles.decisions import read_decision
from asyncgen.pipeline.profiles.degeneration import repeats_itself
from asyncgen.pipeline.profiles.examples import read_instances
from asyncgen.pipeline.profiles.lists import numbered_items, tidied
from asyncgen.pipeline.profiles.values import Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.profiles.values import InstanceRule
    from asyncgen.records import Instance

__all__ = ["mended"]

INSTANCE_RULES: tuple[InstanceRule, ...] = (
    ("output_empty", instance_rules.output_empty),
    ("output_equals_input", instance_rules.output_equals_input),
    ("output_equals_instruction", instance_rules.output_equals_instruction),
    ("ends_with_colon", instance_rules.ends_with_colon),
    ("output_leaks_template", instance_rules.leaks_template),
    ("output_runs_on", instance_rules.runs_on),
    ("output_repetitive", instance_rules.repetitive),
    ("output_refuses", instance_rules.refuses),
    ("output_asks_for_input", instance_rules.asks_for_input),
)


def mended(blacklist_add: Sequence[str] = (), blacklist_remove: Sequence[str] = ()) -> Profile:
    """Return the profile, its blacklist edited.

    Raises:
        SettingsError: If the edits make no sense.
    """
    blacklisted = blacklist(MENDED, harmless=HARMLESS, add=blacklist_add, remove=blacklist_remove)
    return Profile(
        split=numbered_items,
        normalise=tidied,
        instruction_rules=(
            ("empty", instruction_rules.empty),
            ("too_short", instruction_rules.too_short),
            ("too_long", instruction_rules.too_long),
            ("blacklisted", blacklisted),
            ("asks_for_program", instruction_rules.asks_for_program),
            ("starts_with_punctuation", instruction_rules.starts_with_punctuation),
            ("starts_with_non_ascii", instruction_rules.starts_with_non_ascii),
            ("leaked_template", instruction_rules.leaked_template),
            ("mixed_in_task", instruction_rules.mixed_in_task),
            ("repetitive", repeats_itself),
            ("refusal", refusals.declines),
            ("refusal", refusals.speaks_of_itself),
        ),
        read_decision=read_decision,
        asks_again=True,
        read_instances=read_instances,
        instance_rules=INSTANCE_RULES,
        conflict=_contradict,
        choose=_first,
    )


def _contradict(instances: Sequence[Instance]) -> bool:
    """One input has several outputs: then none of them can be trusted."""
    return len({one.input for one in instances}) < len(instances)


def _first(instances: Sequence[Instance], at_most: int, _key: str) -> list[Instance]:
    """Models write their best examples first, and go on with variations."""
    return list(instances[:at_most])
