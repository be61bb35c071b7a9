"""Which of a task's instances are kept: the paper's stage four, by a profile's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from asyncgen.pipeline.profiles.values import ParsedInstances, Profile
    from asyncgen.records import Instance, Reason

__all__ = ["Dropped", "prune"]


class Dropped(Struct, frozen=True):
    """An instance that is not kept, why, and what in it offends."""

    instance: Instance
    reason: Reason
    detail: str = ""


def prune(
    profile: Profile, parsed: ParsedInstances, *, instruction: str, at_most: int, key: str
) -> tuple[tuple[Instance, ...], list[Dropped]]:
    """Return the instances worth keeping and the others with the reason.

    Args:
        profile: Whose rules decide.
        parsed: What the answer held.
        instruction: The task's.
        at_most: How many to keep.
        key: Of what chance decides, if it does.
    """
    candidates = list(parsed.instances)
    dropped: list[Dropped] = []
    if parsed.last_is_cut:
        dropped.append(Dropped(candidates.pop(), "instance_cut_off"))
    kept: list[Instance] = []
    for instance in candidates:
        fault = _fault(profile, instance, instruction)
        if fault is None and instance in kept:
            fault = ("instance_duplicate", "")
        if fault is None:
            kept.append(instance)
        else:
            dropped.append(Dropped(instance, *fault))

    if profile.conflict(kept):
        return (), dropped + [Dropped(one, "conflicting_outputs") for one in kept]
    chosen = profile.choose(kept, at_most, key)
    beyond = [Dropped(one, "too_many_instances") for one in kept if one not in chosen]
    return tuple(chosen), dropped + beyond


def _fault(profile: Profile, instance: Instance, instruction: str) -> tuple[Reason, str] | None:
    for reason, rule in profile.instance_rules:
        detail = rule(instance, instruction)
        if detail is not None:
            return reason, detail
    return None
