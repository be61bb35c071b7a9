"""The profiles, through the fold: what becomes of each answer, rule by rule."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pipeline.instance_cases import DECISIONS, EXAMPLES, ExampleCase
from pipeline.list_cases import LISTS, ListCase

from asyncgen.errors import SettingsError
from asyncgen.pipeline.agenda import Agenda
from asyncgen.pipeline.fold import Fold
from asyncgen.pipeline.profiles import profile_of
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.recipes.lists import numbering
from asyncgen.pipeline.seeds import packaged, read_few_shot, read_seed_tasks
from asyncgen.records import Answer, Completion
from asyncgen.settings import resolve

if TYPE_CHECKING:
    from pipeline.instance_cases import DecisionCase

    from asyncgen.pipeline.draft import Draft
    from asyncgen.records import FinishReason, Request

SEEDS = read_seed_tasks(packaged("seed_tasks.jsonl"), at_least=8)
FEW_SHOT = read_few_shot()
PROFILES = ["paper", "default"]


class Run:
    """A run of one profile, asked as the original asked, and answered by hand."""

    def __init__(self, profile: str, **changes: Any) -> None:
        flags = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "prompts": "paper", **changes}
        self.settings = resolve({}, {**flags, "profile": profile})
        self.prompts = PromptBook(self.settings, FEW_SHOT)
        self.fold = Fold(self.settings, SEEDS, self.prompts)

    def answer(self, request: Request, text: str, finish_reason: FinishReason = "stop") -> None:
        """Fold an answer in."""
        self.fold.commit(Answer(request, Completion(text=text, finish_reason=finish_reason)))

    def items(self, text: str, finish_reason: FinishReason = "stop") -> list[str]:
        """Answer with a list; return what became of its items."""
        self.answer(self.prompts.generation(self.fold.next_ordinal, []), text, finish_reason)
        became = {one.provenance.position: one.instruction for one in self.fold.drafts}
        became |= {one.position: f"<{one.reason}>" for one in self.fold.rejections}
        return [became[position] for position in sorted(became)]

    def draft(self) -> Draft:
        """Answer with a list of one; return what becomes of it."""
        number = "" if numbering(self.settings).continues else "9."
        self.items(f"{number} Name four old lakes.")
        return self.fold.drafts[0]

    def decide(self, text: str, finish_reason: FinishReason = "stop", attempt: int = 1) -> None:
        """Say whether the first draft is a classification task."""
        draft = self.fold.drafts[0]
        request = self.prompts.classification(draft.id, draft.instruction, attempt=attempt)
        self.answer(request, text, finish_reason)

    def work(
        self, text: str, finish_reason: FinishReason = "stop", *, is_classification: bool = False
    ) -> tuple[list[tuple[str, str]], list[str]]:
        """Answer with instances; return those that are kept, and why the others are not."""
        draft = self.draft()
        self.decide("Yes" if is_classification else "No")
        request = self.prompts.instances(
            draft.id, draft.instruction, is_classification=is_classification
        )
        self.answer(request, text, finish_reason)
        reasons = [f"<{one.reason}>" for one in self.fold.rejections]
        kept = [(one.input, one.output) for one in draft.instances or ()]
        assert reasons[-1:] == ["<no_instance>"] or kept
        return kept, [reason for reason in reasons if reason != "<no_instance>"]


def _expected(case: ListCase | ExampleCase, profile: str) -> list[Any]:
    same = profile == "paper" or case.default is None
    return list(case.paper if same else case.default or ())


@pytest.mark.parametrize("case", LISTS, ids=lambda case: f"{case.section}: {case.name}")
@pytest.mark.parametrize("profile", PROFILES)
def test_each_item_of_a_list_is_kept_or_dropped_for_its_reason(
    profile: str, case: ListCase
) -> None:
    assert Run(profile).items(case.text, case.finish_reason) == _expected(case, profile)


@pytest.mark.parametrize("case", DECISIONS, ids=lambda case: repr(case.text))
def test_each_decision_is_read_as_the_profile_reads_it(case: DecisionCase) -> None:
    paper, default = Run("paper"), Run("default")
    for run in (paper, default):
        run.draft()
        run.decide(case.text, case.finish_reason)

    assert paper.fold.drafts[0].is_classification is case.paper
    assert default.fold.drafts[0].is_classification is case.default
    assert default.fold.drafts[0].attempt == (2 if case.default is None else 1)


@pytest.mark.parametrize("case", EXAMPLES, ids=lambda case: f"{case.section}: {case.name}")
@pytest.mark.parametrize("profile", PROFILES)
def test_each_instance_is_kept_or_dropped_for_its_reason(profile: str, case: ExampleCase) -> None:
    expected = _expected(case, profile)
    kept, dropped = Run(profile).work(
        case.text, case.finish_reason, is_classification=case.is_classification
    )

    wanted = [one for one in expected if not isinstance(one, str)]
    if profile == "paper":
        # It draws those that stay, and with them their order.
        kept, wanted = sorted(kept), sorted(wanted)
    assert kept == wanted
    assert Counter(dropped) == Counter(one for one in expected if isinstance(one, str))


def test_the_original_keeps_five_instances_that_chance_keyed_by_seed_and_task_chooses() -> None:
    text = "\n".join(f"Example {n}\nInput: question {n}\nOutput: answer {n}" for n in range(1, 9))
    runs = [Run("paper", seed=seed).work(text) for seed in (1, 1, 2)]
    written = [(f"question {n}", f"answer {n}") for n in range(1, 9)]

    assert runs[0] == runs[1]
    assert runs[0][0] != runs[2][0]
    assert all(len(kept) == 5 and set(kept) < set(written) for kept, _ in runs)
    assert runs[0][1] == ["<too_many_instances>"] * 3
    assert Run("default").work(text)[0] == written[:5]


def test_every_reason_that_a_profile_has_is_shown_by_a_case() -> None:
    for name in PROFILES:
        profile = profile_of(resolve({}, {"endpoint": "local", "profile": name}))
        table = [*profile.instruction_rules, *profile.instance_rules]
        cases: list[ListCase | ExampleCase] = [*LISTS, *EXAMPLES]
        shown = {outcome for case in cases for outcome in _expected(case, name)}
        assert {f"<{reason}>" for reason, _ in table} <= shown


def test_every_rule_says_why_it_is_asked() -> None:
    for name in PROFILES:
        profile = profile_of(resolve({}, {"endpoint": "local", "profile": name}))
        for _, rule in [*profile.instruction_rules, *profile.instance_rules]:
            assert rule.__doc__


def test_an_undecided_task_is_asked_again_once_and_the_second_answer_decides() -> None:
    for second, decision, undecided in (("Yes.", True, 0), ("no", False, 0), ("Hm.", False, 1)):
        run = Run("default", prompts="default", api="chat")
        draft = run.draft()
        agenda = Agenda(run.settings, run.fold, run.prompts)
        first = agenda.next_request()
        assert first is not None
        run.answer(first, "It depends.")
        again = agenda.next_request()
        assert again is not None
        run.answer(again, second)

        assert (first.key, again.key) == (draft.id, f"{draft.id}#2")
        assert again.prompt.variable != first.prompt.variable
        assert again.prompt.turns == first.prompt.turns
        assert draft.is_classification is decision
        assert run.fold.counts.undecided == undecided
        assert len(run.fold.to_instantiate) == 1


def test_a_run_resumed_before_the_second_question_asks_it_once() -> None:
    run = Run("default")
    run.draft()
    run.decide("It depends.")
    agenda = Agenda(run.settings, run.fold, run.prompts)
    asked = [agenda.next_request() for _ in range(3)]

    assert [one.key for one in asked if one and one.stage == "classification"] == ["task_0_0#2"]


def test_a_request_that_failed_for_good_is_not_asked_again() -> None:
    run = Run("default")
    draft = run.draft()
    run.decide("the filter says no", "content_filter")

    assert draft.is_classification is False
    assert run.fold.counts.undecided == 1


def test_the_blacklist_can_be_edited_and_the_word_found_is_named() -> None:
    text = " Read a map of the town.\n10. Sing about the whale.\n11. Draw a conclusion from it."
    run = Run("default", blacklist_remove=["map"], blacklist_add=["whale", "a conclusion"])

    assert run.items(text) == ["Read a map of the town.", "<blacklisted>", "<blacklisted>"]
    assert [one.detail for one in run.fold.rejections] == ["whale", "a conclusion"]
    assert Run("paper", blacklist_remove=["Draw", "map"]).items(text) == [
        "Read a map of the town.",
        "Sing about the whale.",
        "Draw a conclusion from it.",
    ]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"blacklist_remove": ["pictur"]}, "'pictur' is not in .* mean 'picture'"),
        ({"blacklist_remove": ["go to"]}, "'go to' is not in"),
        ({"blacklist_add": [" "]}, "blank"),
    ],
)
def test_edits_that_make_no_sense_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        Run("default", **changes)


def test_terms_need_not_be_words() -> None:
    run = Run("default", blacklist_add=["C++"])

    assert run.items(" Explain c++ to a child.\n10. Explain C to a child.")[0] == "<blacklisted>"
    assert len(run.fold.drafts) == 1


def test_what_ends_a_list_is_never_found_inside_a_line() -> None:
    request = Run("default", prompts="default", api="completions").prompts.generation(0, [])
    paper = Run("paper").prompts.generation(0, [])

    assert all(stop.startswith("\n") for stop in request.sampling.stop)
    assert any(stop in "It was in 2016. Then it ended." for stop in paper.sampling.stop)
