"""A task before the judge: its instances, and what was said of each so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from asyncgen.pipeline.judging import FAILED, in_words, is_open, judgement, read_verdicts
from asyncgen.pipeline.profiles.pruning import Dropped

if TYPE_CHECKING:
    from asyncgen.pipeline.judging import Verdicts
    from asyncgen.records import Answer, Instance, Judgement

__all__ = ["Trial", "key_of", "named"]


def key_of(task: str, number: int, attempt: int) -> str:
    """Return the key of the request that asks about an instance, counted from 0."""
    return f"{task}:{number}" + ("" if attempt == 1 else f"#{attempt}")


def named(key: str) -> tuple[str, int, int]:
    """Return the task, the number and the attempt that :func:`key_of` made a key of."""
    name, _, attempt = key.partition("#")
    task, _, number = name.rpartition(":")
    return task, int(number), int(attempt or 1)


@dataclass(slots=True, eq=False)
class Trial:
    """What a judge is asked of one task, and has said.

    Attributes:
        instances: Those that passed the rules, in their order.
        said: What its first answer was, where there is one; by instance.
        judgements: What both amount to, where nothing more is asked.
    """

    instances: tuple[Instance, ...]
    said: list[Verdicts | None] = field(init=False)
    judgements: list[Judgement | None] = field(init=False)

    def __post_init__(self) -> None:
        self.said = [None] * len(self.instances)
        self.judgements = [None] * len(self.instances)

    @property
    def is_over(self) -> bool:
        """Whether each instance is judged."""
        return None not in self.judgements

    def waits_for(self, number: int, attempt: int) -> bool:
        """Whether that answer is the next that is due about an instance."""
        if number >= len(self.instances):
            return False
        due = 1 if self.said[number] is None else 2
        return self.judgements[number] is None and attempt == due

    def hear(self, number: int, answer: Answer) -> bool:
        """Take an answer in; return whether the same is to be asked once more."""
        completion, begun = answer.completion, answer.request.prompt.api == "completions"
        verdicts, first = read_verdicts(completion, begun=begun), self.said[number]
        if first is None:
            self.said[number] = verdicts
            if is_open(verdicts) and completion.finish_reason not in FAILED:
                return True
            self.judgements[number] = judgement(verdicts, None, completion.model)
        else:
            self.judgements[number] = judgement(first, verdicts, completion.model)
        return False

    def passing(self, least: float | None) -> tuple[tuple[Instance, ...], list[Dropped]]:
        """Return the instances that got so much, with what was said of them, and the others."""
        good: list[Instance] = []
        low: list[Dropped] = []
        for instance, said in zip(self.instances, self.judgements, strict=True):
            judged = msgspec.structs.replace(instance, judge=said)
            if said is None or said.score >= (least or 0.0):
                good.append(judged)
            else:
                low.append(Dropped(judged, "judged_low", in_words(said)))
        return tuple(good), low
