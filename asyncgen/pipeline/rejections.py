"""What a run dropped, each with its reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from asyncgen.pipeline.judging import FAILED
from asyncgen.records import Rejection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.draft import Draft
    from asyncgen.pipeline.profiles.pruning import Dropped
    from asyncgen.records import Completion, Reason, Stage

__all__ = ["Rejections"]


class Rejections:
    """Grows by what is dropped, in the order of the fold.

    Attributes:
        all: Everything.
        reasons: How often each reason was given, by stage.
    """

    def __init__(self) -> None:
        self.all: list[Rejection] = []
        self.reasons: dict[Stage, Counter[Reason]] = {}

    def add(self, rejection: Rejection) -> None:
        """Add one."""
        self.all.append(rejection)
        self.reasons.setdefault(rejection.stage, Counter())[rejection.reason] += 1

    def add_answer(self, ordinal: int, completion: Completion) -> None:
        """Add a generation answer without a candidate."""
        failed = completion.finish_reason in FAILED
        self.add(
            Rejection(
                stage="generation",
                reason="request_failed" if failed else "no_items",
                text=completion.text,
                ordinal=ordinal,
                position=0,
            )
        )

    def add_instances(self, draft: Draft, dropped: Sequence[Dropped], stage: Stage) -> None:
        """Add instances of a kept instruction."""
        for one in dropped:
            text = f"{one.instance.input} → {one.instance.output}"
            self.add_of(draft, one.reason, text, stage, detail=one.detail)

    def add_of(
        self, draft: Draft, reason: Reason, text: str, stage: Stage, *, detail: str = ""
    ) -> None:
        """Add something that belongs to a kept instruction."""
        self.add(
            Rejection(
                stage=stage,
                reason=reason,
                detail=detail,
                text=text,
                ordinal=draft.provenance.ordinal,
                position=draft.provenance.position,
                task=draft.id,
            )
        )
