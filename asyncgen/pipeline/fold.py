"""A run as a fold: the state that follows from its settings, its seeds and its answers.

Answers are folded in the order of the journal, live and in replay alike.
Generation answers wait in a reorder buffer until all before them are there, so
that what is admitted to the pool depends on their ordinals alone. Those of the
later stages concern one task each, and their order never matters.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.errors import AsyncgenError
from asyncgen.pipeline.draft import Counts, Draft
from asyncgen.pipeline.exclusion import Excluded
from asyncgen.pipeline.novelty import Novelty
from asyncgen.pipeline.profiles import profile_of
from asyncgen.pipeline.profiles.pruning import prune
from asyncgen.pipeline.profiles.values import first_offence
from asyncgen.pipeline.sampling import draw_demonstrations
from asyncgen.records import Provenance, Rejection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.prompts import PromptBook
    from asyncgen.records import Answer, Completion, Neighbour, Reason, SeedTask, Stage
    from asyncgen.settings import Settings

__all__ = ["Fold"]

_FAILED = frozenset({"error", "content_filter"})


class Fold:
    """The state of a run.

    Attributes:
        drafts: Every kept instruction, in order of ordinal and position.
        to_decide: Drafts whose classification is due, oldest first, and the attempt at it.
        to_instantiate: Drafts whose instances are due, oldest first.
        rejections: Everything that was dropped.
        reasons: How often each reason was given, by stage.
        known: Valid tasks before the first unsettled draft: those of the dataset.
        next_ordinal: Number of generation answers folded: all below it are.
        counts: Totals.
        prompts: How this run asks.
    """

    def __init__(
        self,
        settings: Settings,
        seeds: Sequence[SeedTask],
        prompts: PromptBook,
        excluded: Excluded | None = None,
    ) -> None:
        self.drafts: list[Draft] = []
        self.to_decide: deque[tuple[Draft, int]] = deque()
        self.to_instantiate: deque[Draft] = deque()
        self.rejections: list[Rejection] = []
        self.reasons: dict[Stage, Counter[Reason]] = {}
        self.known = 0
        self.next_ordinal = 0
        self.counts = Counts()
        self._settings = settings
        self.prompts = prompts
        self._profile = profile_of(settings)
        self._texts = {seed.id: seed.instruction for seed in seeds}
        self._human = tuple(self._texts)
        self._machine: list[str] = []
        self._machine_after: list[int] = []
        self._early: dict[int, Answer] = {}
        self._by_id: dict[str, Draft] = {}
        self._settled = 0
        self._novelty = Novelty(
            settings.threshold, self._texts, excluded or Excluded(), settings.tokenizer
        )

    def prepare(self) -> None:
        """Load what every candidate is compared with; in another thread, if nobody folds."""
        self._novelty.prepare()

    def commit(self, answer: Answer) -> None:
        """Fold one answer in.

        Raises:
            AsyncgenError: If it answers nothing that this run asked.
        """
        self._count(answer)
        match answer.request.stage:
            case "generation":
                self._early[int(answer.request.key)] = answer
                while (following := self._early.pop(self.next_ordinal, None)) is not None:
                    self._generated(self.next_ordinal, following)
                    self.next_ordinal += 1
                    self._machine_after.append(len(self._machine))
            case "classification":
                self._decided(self._draft(answer), answer.completion)
            case "instances":
                self._instantiated(self._draft(answer), answer.completion)

    def has_answer(self, ordinal: int) -> bool:
        """Whether a generation request was answered, folded or still waiting for its turn."""
        return ordinal < self.next_ordinal or ordinal in self._early

    def may_ask(self, ordinal: int) -> bool:
        """Whether the pool that a generation request draws from is known yet."""
        return ordinal < self.next_ordinal + self._settings.look_ahead

    def demonstrations(self, ordinal: int) -> list[str]:
        """Return the ids of the tasks that generation request ``ordinal`` shows."""
        settings = self._settings
        seen = ordinal - settings.look_ahead
        return draw_demonstrations(
            (settings.seed, ordinal),
            self._human,
            self._machine,
            total=settings.demonstrations,
            wanted_machine=settings.machine_demonstrations,
            known=self._machine_after[seen] if seen >= 0 else 0,
        )

    def snapshot(self) -> dict[str, Any]:
        """Return all that follows from the answers so far, as plain values that can be compared.

        Not in it: what is due, from which a session takes what it hands out.
        """
        return {
            "drafts": msgspec.to_builtins(self.drafts),
            "rejections": msgspec.to_builtins(self.rejections),
            "reasons": {stage: dict(reasons) for stage, reasons in self.reasons.items()},
            "known": self.known,
            "next_ordinal": self.next_ordinal,
            "counts": msgspec.to_builtins(self.counts),
            "machine_after": list(self._machine_after),
            "early": sorted(self._early),
            "settled": self._settled,
        }

    def text_of(self, name: str) -> str:
        """Return the instruction of a seed or a kept task."""
        return self._texts[name]

    def draft(self, name: str) -> Draft | None:
        """Return a kept task; ``None`` if this run kept none of that id."""
        return self._by_id.get(name)

    def _draft(self, answer: Answer) -> Draft:
        draft = self.draft(answer.request.key.partition("#")[0])
        if draft is None:
            raise AsyncgenError(
                f"the journal answers {answer.request.stage} for {answer.request.key}, which "
                "this run never made: it was written with other seeds or another version"
            )
        return draft

    def _generated(self, ordinal: int, answer: Answer) -> None:
        completion = answer.completion
        if completion.finish_reason in _FAILED:
            self._reject_answer(ordinal, completion)
            self.counts.barren += 1
            return
        items = self._profile.split(completion, self.prompts.numbering)
        before = len(self._machine)
        for position, text in enumerate(items.texts):
            provenance = Provenance(
                ordinal=ordinal,
                position=position,
                demonstrations=answer.request.shown,
                model=completion.model,
                endpoint=completion.endpoint,
            )
            cut = position >= len(items.texts) - items.lost
            self._judge(self._profile.normalise(text), provenance, cut=cut)
        if not items.texts:
            self._reject_answer(ordinal, completion)
        self.counts.barren = 0 if len(self._machine) > before else self.counts.barren + 1

    def _judge(self, text: str, provenance: Provenance, *, cut: bool) -> None:
        """Keep an instruction or reject it: rules first, then the pool."""
        name = f"task_{provenance.ordinal}_{provenance.position}"
        nearest: Neighbour | None = None
        offence: tuple[Reason, str] | None = ("cut_off", "") if cut else None
        offence = offence or first_offence(self._profile.instruction_rules, text)
        if offence is None:
            admission = self._novelty.admit(name, text)
            if admission.place is not None:
                self._keep(Draft(name, text, admission.place, provenance))
                return
            nearest = admission.nearest
            offence = admission.reason, admission.detail
        reason, detail = offence
        self._reject(
            Rejection(
                stage="generation",
                reason=reason,
                detail=detail,
                text=text,
                nearest=nearest,
                ordinal=provenance.ordinal,
                position=provenance.position,
            )
        )

    def neighbours(self, drafts: Sequence[Draft]) -> list[Neighbour | None]:
        """For each draft the nearest of the texts kept before it, seeds included."""
        return self._novelty.before([(one.instruction, one.place) for one in drafts])

    def _keep(self, draft: Draft) -> None:
        self.drafts.append(draft)
        self._by_id[draft.id] = draft
        self._texts[draft.id] = draft.instruction
        self._machine.append(draft.id)
        self.to_decide.append((draft, 1))

    def _decided(self, draft: Draft, completion: Completion) -> None:
        decision = self._profile.read_decision(completion, self._settings.yes_bias)
        may_ask_again = self._profile.asks_again and completion.finish_reason not in _FAILED
        if decision is None and may_ask_again and draft.attempt == 1:
            draft.attempt = 2
            self.to_decide.append((draft, 2))
            return
        self.counts.undecided += decision is None
        self.counts.classification += decision is True
        draft.is_classification = bool(decision)
        self.to_instantiate.append(draft)

    def _instantiated(self, draft: Draft, completion: Completion) -> None:
        if completion.finish_reason in _FAILED:
            draft.instances = ()
            self._reject_instance(draft, "request_failed", completion.text)
        else:
            self._prune(draft, completion)
        self.counts.settled += 1
        if draft.instances:
            self.counts.valid += 1
            self.counts.fruitless = 0
        else:
            self.counts.fruitless += 1
            self._reject_instance(draft, "no_instance", draft.instruction)
        self._advance()

    def _advance(self) -> None:
        """Move over the drafts that are settled, all before them being so."""
        while self._settled < len(self.drafts) and self.drafts[self._settled].settled:
            self.known += bool(self.drafts[self._settled].instances)
            self._settled += 1

    def _prune(self, draft: Draft, completion: Completion) -> None:
        parsed = self._profile.read_instances(completion, bool(draft.is_classification))
        draft.instances, dropped = prune(
            self._profile,
            parsed,
            instruction=draft.instruction,
            at_most=self._settings.max_instances,
            key=f"{self._settings.seed}:{draft.id}",
        )
        for one in dropped:
            text = f"{one.instance.input} → {one.instance.output}"
            self._reject_instance(draft, one.reason, text, one.detail)

    def _reject(self, rejection: Rejection) -> None:
        self.rejections.append(rejection)
        self.reasons.setdefault(rejection.stage, Counter())[rejection.reason] += 1

    def _reject_instance(self, draft: Draft, reason: Reason, text: str, detail: str = "") -> None:
        self._reject(
            Rejection(
                stage="instances",
                reason=reason,
                detail=detail,
                text=text,
                ordinal=draft.provenance.ordinal,
                position=draft.provenance.position,
                task=draft.id,
            )
        )

    def _reject_answer(self, ordinal: int, completion: Completion) -> None:
        failed = completion.finish_reason in _FAILED
        self._reject(
            Rejection(
                stage="generation",
                reason="request_failed" if failed else "no_items",
                text=completion.text,
                ordinal=ordinal,
                position=0,
            )
        )

    def _count(self, answer: Answer) -> None:
        counts, completion = self.counts, answer.completion
        counts.answers[answer.request.stage] += 1
        (counts.recalled if completion.recalled else counts.asked).add(completion)
        counts.lost_cost += completion.lost_cost
