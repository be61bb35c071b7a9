"""A run as a fold: the state that follows from its settings, its seeds and its answers.

Answers are folded in the order of the journal, live and in replay alike.
Generation answers wait in a reorder buffer until all before them are there, so
that what is admitted to the pool depends on their ordinals alone. Those of the
later stages concern one task each, and their order never matters.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.errors import AsyncgenError
from asyncgen.pipeline.draft import Counts, Draft
from asyncgen.pipeline.exclusion import Excluded
from asyncgen.pipeline.judging import FAILED
from asyncgen.pipeline.novelty import Novelty
from asyncgen.pipeline.profiles.decisions import read_decisions
from asyncgen.pipeline.profiles.pruning import prune
from asyncgen.pipeline.profiles.values import ParsedInstances, first_offence
from asyncgen.pipeline.recipes import recipe_of
from asyncgen.pipeline.recipes.values import Material, Turn
from asyncgen.pipeline.rejections import Rejections
from asyncgen.pipeline.saturation import Yield
from asyncgen.pipeline.trial import Trial, named
from asyncgen.records import Provenance, Rejection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.profiles.pruning import Dropped
    from asyncgen.pipeline.prompts import PromptBook
    from asyncgen.pipeline.recipes.values import Candidate, Recipe
    from asyncgen.pipeline.texts import GivenText
    from asyncgen.records import (
        Answer,
        Completion,
        Instance,
        Neighbour,
        SeedTask,
        Stage,
    )
    from asyncgen.settings import Settings

__all__ = ["Fold"]


class Fold:
    """The state of a run.

    Attributes:
        drafts: Every kept instruction, in order of ordinal and position.
        to_decide: Drafts whose classification is due, oldest first, those that are asked about
            together, and the attempt at it.
        to_instantiate: Drafts whose instances are due, oldest first.
        to_judge: Instances that are to be judged, oldest first: the draft, the number and the
            attempt at it.
        rejections: Everything that was dropped.
        reasons: How often each reason was given, by stage.
        known: Valid tasks before the first unsettled draft: those of the dataset.
        next_ordinal: Number of generation answers folded: all below it are.
        instructions: What came of each of them. Once that is dry, later ones wait, as they would
            if those before them were missing: where a run stops does not hang on what was in the
            air.
        tasks: Which drafts became tasks, in their order. Once that is dry, no further ones count.
        counts: Totals.
        prompts: How this run asks.
        recipe: How it comes by new tasks.
        material: What its requests are made of, the pool left out.
        most: How many generation requests there can be; ``None`` for any number.
    """

    def __init__(
        self,
        settings: Settings,
        seeds: Sequence[SeedTask],
        prompts: PromptBook,
        excluded: Excluded | None = None,
        *,
        texts: Sequence[GivenText] = (),
        recipe: Recipe | None = None,
    ) -> None:
        self.drafts: list[Draft] = []
        self.to_decide: deque[tuple[tuple[Draft, ...], int]] = deque()
        self.to_instantiate: deque[Draft] = deque()
        self.to_judge: deque[tuple[Draft, int, int]] = deque()
        self._rejected = Rejections()
        self.rejections, self.reasons = self._rejected.all, self._rejected.reasons
        self.known = 0
        self.next_ordinal = 0
        self.counts = Counts()
        if settings.judge is not None:
            self.counts.answers["judging"] = 0
        self.instructions, self.tasks = (
            Yield(settings.saturation_window, settings.saturation_bound) for _ in range(2)
        )
        self._settings = settings
        self.prompts = prompts
        self.recipe = recipe or recipe_of(settings)
        self.material = Material(settings, tuple(seeds), tuple(texts))
        self.most = self.recipe.most(self.material)
        self._profile = self.material.profile
        self._texts = {seed.id: seed.instruction for seed in seeds}
        self._machine: list[str] = []
        self._machine_after: list[int] = []
        self._early: dict[int, Answer] = {}
        self._by_id: dict[str, Draft] = {}
        self._groups: dict[str, tuple[Draft, ...]] = {}
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
                self._fold_generated()
            case "classification":
                self._classified(answer)
            case "instances":
                self._instantiated(self._draft(answer), answer.completion)
            case "judging":
                self._heard(answer)
            case "survey":
                raise _stray(answer)

    def _fold_generated(self) -> None:
        """Fold what waited for its turn."""
        while not self.instructions.dry and self.next_ordinal in self._early:
            before = len(self._machine)
            offered = self._generated(self.next_ordinal, self._early.pop(self.next_ordinal))
            self.next_ordinal += 1
            self._machine_after.append(len(self._machine))
            self.instructions.add(offered, len(self._machine) - before)

    def has_answer(self, ordinal: int) -> bool:
        """Whether a generation request was answered, folded or still waiting for its turn."""
        return ordinal < self.next_ordinal or ordinal in self._early

    def may_ask(self, ordinal: int) -> bool:
        """Whether there is such a generation request, and the pool that it draws from is known."""
        there_is = self.most is None or ordinal < self.most
        return there_is and ordinal < self.next_ordinal + self._settings.look_ahead

    @property
    def exhausted(self) -> bool:
        """Whether no generation request is left, and all that came of them is settled."""
        used_up = self.most is not None and self.next_ordinal >= self.most
        return (used_up or self.instructions.dry) and self.counts.settled == len(self.drafts)

    @property
    def counted(self) -> Sequence[Draft]:
        """The drafts that are settled, all before them being so, up to where tasks dried up."""
        return self.drafts[: self._settled]

    def turn(self, ordinal: int) -> Turn:
        """Return what generation request ``ordinal`` shows; its pool must be known."""
        seen = ordinal - self._settings.look_ahead
        known = self._machine_after[seen] if seen >= 0 else 0
        return self._turn(ordinal, self.recipe.draw(self.material, ordinal, self._machine, known))

    def _turn(self, ordinal: int, shown: tuple[str, ...]) -> Turn:
        # What another run showed this one may not have kept.
        return Turn(ordinal, shown, tuple(self._texts.get(name, "") for name in shown))

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
            "yields": [msgspec.to_builtins(one.curve()) for one in (self.instructions, self.tasks)],
        }

    def text_of(self, name: str) -> str:
        """Return the instruction of a seed or a kept task."""
        return self._texts[name]

    def group(self, name: str) -> tuple[Draft, ...]:
        """Return those that are asked about together with the task of that id, it first."""
        return self._groups.get(name, ())

    def draft(self, name: str) -> Draft | None:
        """Return a kept task; ``None`` if this run kept none of that id."""
        return self._by_id.get(name)

    def _draft(self, answer: Answer) -> Draft:
        draft = self.draft(answer.request.key.partition("#")[0].partition(":")[0])
        if draft is None:
            raise _stray(answer)
        return draft

    def _generated(self, ordinal: int, answer: Answer) -> int:
        """Judge what an answer brings; return how many candidates that are."""
        completion = answer.completion
        if completion.finish_reason in FAILED:
            self._rejected.add_answer(ordinal, completion)
            return 0
        turn = self._turn(ordinal, answer.request.shown)
        candidates = self.recipe.read(self.material, turn, completion)
        before = len(self._machine)
        for position, candidate in enumerate(candidates):
            provenance = Provenance(
                ordinal=ordinal,
                position=position,
                demonstrations=answer.request.shown,
                model=completion.model,
                endpoint=completion.endpoint,
                parent=candidate.parent,
                operation=candidate.operation,
                row=candidate.row,
            )
            self._judge(candidate, provenance)
        if not candidates:
            self._rejected.add_answer(ordinal, completion)
        if "classification" in self.recipe.later:
            self._doubt(self.drafts[before:])
        return len(candidates)

    def _doubt(self, drafts: Sequence[Draft]) -> None:
        """Have it asked of each what it is; which are asked together follows from one answer."""
        size = self._settings.decisions_per_request
        for start in range(0, len(drafts), size):
            first, *others = drafts[start : start + size]
            group = (first, *others)
            if others:
                self._groups[first.id] = group
                for draft in group:
                    draft.attempt = 0
            self.to_decide.append((group, first.attempt))

    def _judge(self, candidate: Candidate, provenance: Provenance) -> None:
        """Keep a candidate or reject it: rules first, then the pool."""
        text, name = candidate.instruction, f"task_{provenance.ordinal}_{provenance.position}"
        nearest: Neighbour | None = None
        offence = candidate.offence or first_offence(self._profile.instruction_rules, text)
        chosen, dropped = self._chosen(candidate, name)
        if offence is None and not self.recipe.later and not chosen:
            offence = (dropped[0].reason, dropped[0].detail) if dropped else ("no_instance", "")
        if offence is None:
            admission = self._novelty.admit(name, text)
            if admission.place is not None:
                self._keep(Draft(name, text, admission.place, provenance), chosen, dropped)
                return
            nearest = admission.nearest
            offence = admission.reason, admission.detail
        reason, detail = offence
        self._rejected.add(
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

    def _chosen(
        self, candidate: Candidate, name: str
    ) -> tuple[tuple[Instance, ...], list[Dropped]]:
        parsed = ParsedInstances(candidate.instances, last_is_cut=False)
        return self._pruned(parsed, name, candidate.instruction)

    def neighbours(self, drafts: Sequence[Draft]) -> list[Neighbour | None]:
        """For each draft the nearest of the texts kept before it, seeds included."""
        return self._novelty.before([(one.instruction, one.place) for one in drafts])

    def _keep(
        self, draft: Draft, instances: tuple[Instance, ...], dropped: Sequence[Dropped]
    ) -> None:
        self.drafts.append(draft)
        self._by_id[draft.id] = draft
        self._texts[draft.id] = draft.instruction
        self._machine.append(draft.id)
        if "classification" in self.recipe.later:
            return
        draft.is_classification = False
        if "instances" in self.recipe.later:
            self.to_instantiate.append(draft)
        else:
            self._worked(draft, instances, dropped)

    def _classified(self, answer: Answer) -> None:
        name, together, _ = answer.request.key.partition("+")
        if not together:
            self._decided(self._draft(answer), answer.completion)
            return
        group = self._groups.get(name) or (self._draft(answer),)
        begun = answer.request.prompt.variable.endswith("\n1.")
        decisions = read_decisions(answer.completion, len(group), begun=begun)
        for draft, decision in zip(group, decisions, strict=True):
            if decision is None:
                draft.attempt = 1
                self.to_decide.append(((draft,), 1))
            else:
                self._decide(draft, decision)

    def _decided(self, draft: Draft, completion: Completion) -> None:
        decision = self._profile.read_decision(completion, self._settings.yes_bias)
        may_ask_again = self._profile.asks_again and completion.finish_reason not in FAILED
        if decision is None and may_ask_again and draft.attempt == 1:
            draft.attempt = 2
            self.to_decide.append(((draft,), 2))
            return
        self.counts.undecided += decision is None
        self._decide(draft, bool(decision))

    def _decide(self, draft: Draft, decision: bool) -> None:  # noqa: FBT001 - what it is
        self.counts.classification += decision
        draft.is_classification = decision
        self.to_instantiate.append(draft)

    def _instantiated(self, draft: Draft, completion: Completion) -> None:
        if completion.finish_reason in FAILED:
            self._rejected.add_of(draft, "request_failed", completion.text, "instances")
            self._settle(draft, ())
            return
        parsed = self._profile.read_instances(completion, bool(draft.is_classification))
        self._worked(draft, *self._pruned(parsed, draft.id, draft.instruction))

    def _pruned(
        self, parsed: ParsedInstances, name: str, instruction: str
    ) -> tuple[tuple[Instance, ...], list[Dropped]]:
        return prune(
            self._profile,
            parsed,
            instruction=instruction,
            at_most=self._settings.max_instances,
            key=f"{self._settings.seed}:{name}",
        )

    def _worked(
        self, draft: Draft, instances: tuple[Instance, ...], dropped: Sequence[Dropped]
    ) -> None:
        """Give a draft the instances that passed the rules; a judge hears of them first."""
        self._rejected.add_instances(draft, dropped, "instances")
        if self._settings.judge is not None and instances:
            draft.trial = Trial(instances)
            self.to_judge += ((draft, number, 1) for number in range(len(instances)))
        else:
            self._settle(draft, instances)

    def _heard(self, answer: Answer) -> None:
        """Take in what the judge says of an instance, and settle its task with the last."""
        draft, (_, number, attempt) = self._draft(answer), named(answer.request.key)
        trial = draft.trial
        if trial is None or not trial.waits_for(number, attempt):
            raise _stray(answer)
        if trial.hear(number, answer):
            self.to_judge.append((draft, number, 2))
        elif trial.is_over:
            self.counts.judge(trial)
            good, dropped = trial.passing(self._settings.min_score)
            self._rejected.add_instances(draft, dropped, "judging")
            self._settle(draft, good, "judging")

    def _settle(
        self, draft: Draft, instances: tuple[Instance, ...], stage: Stage = "instances"
    ) -> None:
        """Give a draft its instances, with which it is a task if there are any."""
        draft.instances = instances
        self.counts.settled += 1
        self.counts.valid += bool(instances)
        if not instances:
            self._rejected.add_of(draft, "no_instance", draft.instruction, stage)
        self._advance()

    def _advance(self) -> None:
        """Move over the drafts that are settled, all before them being so."""
        while self._settled < len(self.drafts) and not self.tasks.dry:
            draft = self.drafts[self._settled]
            if not draft.settled:
                break
            self.known += bool(draft.instances)
            self._settled += 1
            self.tasks.add(1, bool(draft.instances))

    def _count(self, answer: Answer) -> None:
        counts, completion = self.counts, answer.completion
        if answer.request.stage not in counts.answers:
            raise _stray(answer)
        counts.answers[answer.request.stage] += 1
        (counts.recalled if completion.recalled else counts.asked).add(completion)
        counts.lost_cost += completion.lost_cost


def _stray(answer: Answer) -> AsyncgenError:
    return AsyncgenError(
        f"the journal answers {answer.request.stage} for {answer.request.key}, which "
        "this run never made: it was written with other seeds or another version"
    )
