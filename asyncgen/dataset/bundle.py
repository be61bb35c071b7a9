"""The rows of an export: encoded, told apart, divided, and put in order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from asyncgen.dataset.chance import rank
from asyncgen.dataset.families import families
from asyncgen.dataset.formats import Style
from asyncgen.dataset.openai import MOST_TOKENS
from asyncgen.dataset.split import divide
from asyncgen.records import SeedTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asyncgen.dataset.examples import Origin
    from asyncgen.dataset.formats import Format, Row
    from asyncgen.dataset.split import Division
    from asyncgen_kernels import Tokenizer

__all__ = ["FAMILY_BOUND", "TRAIN", "VALIDATION", "Bundle", "Plan", "arrange"]

TRAIN = "train"
VALIDATION = "validation"

FAMILY_BOUND = 0.6
"""Below the filter's usual threshold, and no lower: at 0.5 chains of neighbours make nearly one
family of a real run (``benchmarks/LOG.md``), and what is left to hold out is odd."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted of an export.

    Attributes:
        validation: Share of the rows to hold out, in (0, 1); ``None`` for no split.
        family_bound: Tasks above this ROUGE-L to each other stay on one side.
        shuffle: Whether rows are put in a random order, instead of the dataset's.
        most_tokens: Of one example, where the format has such a limit.
        threads: For comparing tasks.
        tokenizer: How their instructions are cut to be compared.
    """

    format: Format
    style: Style = field(default_factory=Style)
    validation: float | None = None
    family_bound: float = FAMILY_BOUND
    shuffle: bool = False
    most_tokens: int = MOST_TOKENS
    threads: int = 1
    tokenizer: Tokenizer = "rouge"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is exported.

    Attributes:
        splits: The rows by split: all of them in ``train`` where there is no other.
        tasks: Tasks that models made.
        seeds: Tasks that people wrote.
        duplicates: Rows left out because they equal an earlier one.
        dropped: Rows left out because they break a rule of the format, by rule.
        division: How the tasks were divided.
    """

    splits: dict[str, list[Row]]
    tasks: int
    seeds: int
    duplicates: int
    dropped: dict[str, int]
    division: Division | None

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(map(len, self.splits.values()))


def arrange(tasks: Sequence[Origin], plan: Plan) -> Bundle:
    """Make the rows of tasks.

    Raises:
        ExportError: If they cannot be divided.
    """
    rows = [plan.format.rows(task, plan.style) for task in tasks]
    division = None if plan.validation is None else _divided(tasks, rows, plan)
    held_out = division.held_out if division else [False] * len(tasks)
    splits: dict[str, list[tuple[str, Row]]] = {TRAIN: []}
    if division:
        splits[VALIDATION] = []
    sieve = _Sieve(plan)
    for task, made, held in zip(tasks, rows, held_out, strict=True):
        named = ((f"{task.id}:{number}", row) for number, row in enumerate(made))
        splits[VALIDATION if held else TRAIN] += sieve.passed(named)
    seeds = sum(isinstance(task, SeedTask) for task in tasks)
    return Bundle(
        splits={name: _in_order(part, plan) for name, part in splits.items()},
        tasks=len(tasks) - seeds,
        seeds=seeds,
        duplicates=sieve.duplicates,
        dropped=dict(sieve.dropped.most_common()),
        division=division,
    )


def _divided(tasks: Sequence[Origin], rows: Sequence[list[Row]], plan: Plan) -> Division:
    return divide(
        [task.id for task in tasks],
        families(
            [task.instruction for task in tasks], plan.family_bound, plan.threads, plan.tokenizer
        ),
        [len(made) for made in rows],
        plan.validation or 0.0,
        plan.style.seed,
    )


def _in_order(named: list[tuple[str, Row]], plan: Plan) -> list[Row]:
    if plan.shuffle:
        named = sorted(named, key=lambda one: rank(plan.style.seed, "order", one[0]))
    return [row for _, row in named]


class _Sieve:
    """Lets pass what is new and breaks no rule, and counts the rest."""

    def __init__(self, plan: Plan) -> None:
        self.duplicates = 0
        self.dropped: Counter[str] = Counter()
        self._seen: set[bytes] = set()
        self._plan = plan

    def passed(self, named: Iterable[tuple[str, Row]]) -> list[tuple[str, Row]]:
        return [(name, row) for name, row in named if self._passes(row)]

    def _passes(self, row: Row) -> bool:
        rules = self._plan.format.row_rules
        offence = rules(row, self._plan.most_tokens) if rules else None
        if offence is not None:
            self.dropped[offence] += 1
            return False
        mark = blake2b(orjson.dumps(row), digest_size=16).digest()
        if mark in self._seen:
            self.duplicates += 1
            return False
        self._seen.add(mark)
        return True
