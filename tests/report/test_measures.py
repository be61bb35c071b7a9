"""Measured values against what they are defined as, computed the slow way."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from msgspec import structs
from rapidfuzz.distance import LCSseq
from report.material import BEGAN, PAUSE, make_run

from asyncgen.errors import MissingExtraError
from asyncgen.records import Answer, Completion, Failures, Prompt, Request, Sampling, Usage
from asyncgen.report.measures.distribution import binned, distribution, summary
from asyncgen.report.measures.flow import flow
from asyncgen.report.measures.measures import measure
from asyncgen.report.measures.outline import outline
from asyncgen.report.measures.spending import spending
from asyncgen.report.measures.verbs import load_parser, pairs
from asyncgen.report.reading import read_runs
from asyncgen.settings import resolve
from asyncgen_kernels import tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asyncgen.report.measures.flow import Flow
    from asyncgen.report.measures.measures import Measures
    from asyncgen.report.reading import RunRead


def _rouge_l(one: str, other: str) -> float:
    left, right = tokenize(one), tokenize(other)
    if not left or not right:
        return 0.0
    return 2 * LCSseq.similarity(left, right) / (len(left) + len(right))


def _nearest(text: str, others: Sequence[str]) -> float:
    return max((_rouge_l(text, one) for one in others), default=0.0)


def test_nearest_seed_and_nearest_kept_are_those_of_brute_force(
    small_read: RunRead, small_measures: Measures
) -> None:
    seeds = [seed.instruction for seed in small_read.seeds]
    kept = [draft.instruction for draft in small_read.fold.drafts]

    for row in small_measures.tasks:
        place = kept.index(row.draft.instruction)
        assert row.seed.score == pytest.approx(_nearest(row.draft.instruction, seeds))
        assert row.kept.score == pytest.approx(_nearest(row.draft.instruction, kept[:place]))
        if row.kept.score:
            assert _rouge_l(row.draft.instruction, row.kept.text) == pytest.approx(row.kept.score)


def test_what_a_rule_dropped_is_compared_with_what_was_kept_before_it(
    small_read: RunRead, small_measures: Measures
) -> None:
    found = [drop for drop in small_measures.drops if drop.reason == "blacklisted"]
    dropped = {one.text: one for one in small_read.fold.rejections}
    seeds = [seed.instruction for seed in small_read.seeds]

    assert found
    assert found[0].examples
    for example in found[0].examples:
        origin = (dropped[example.text].ordinal, dropped[example.text].position)
        before = [
            draft.instruction
            for draft in small_read.fold.drafts
            if (draft.provenance.ordinal, draft.provenance.position) < origin
        ]
        assert example.detail.lower() == "draw"
        assert example.score == pytest.approx(_nearest(example.text, seeds + before))


def test_what_the_filter_dropped_is_shown_beside_its_neighbour(small_measures: Measures) -> None:
    found = next(drop for drop in small_measures.drops if drop.reason == "similar")
    threshold = small_measures.settings.threshold

    assert found.count == small_measures.status.rejections["generation"]["similar"]
    assert len({one.text for one in found.examples}) == 3
    for example in found.examples:
        assert example.score > threshold
        assert _rouge_l(example.text, example.nearest) == pytest.approx(example.score)


def test_what_an_excluded_file_dropped_is_shown_beside_the_text_in_it(
    small_measures: Measures, tmp_path: Path
) -> None:
    """The run again, without its first two tasks."""
    texts = [row.draft.instruction for row in small_measures.tasks[:2]]
    (tmp_path / "no.txt").write_text("\n".join(texts), "utf-8")
    folder = make_run(tmp_path / "run", 20, exclude=[str(tmp_path / "no.txt")])
    (found,) = [one for one in measure(read_runs([folder])[0]).drops if one.reason == "excluded"]

    assert {one.nearest for one in found.examples} == set(texts)
    for example in found.examples:
        assert example.whose
        assert _rouge_l(example.text, example.nearest) == pytest.approx(example.score)


def test_stretches_hold_every_candidate_once(small_measures: Measures) -> None:
    made, state = small_measures.stretches, small_measures.status

    assert sum(one.candidates for one in made) == state.candidates == made[-1].until
    assert sum(one.kept for one in made) == state.kept
    assert len({one.candidates for one in made[:-1]}) == 1


def test_stages_add_up_to_the_run(small_measures: Measures) -> None:
    state = small_measures.status
    assert sum((one.usage for one in small_measures.spending), Usage()) == state.usage
    assert sum(one.cost or 0 for one in small_measures.spending) == pytest.approx(state.cost)
    assert {one.stage: one.answers for one in small_measures.spending} == state.answers


def test_labels_are_counted_without_regard_to_case(small_measures: Measures) -> None:
    tasks = [row.draft for row in small_measures.tasks if row.draft.is_classification]
    given = Counter(one.output.casefold() for task in tasks for one in task.instances or ())
    found = small_measures.labels

    assert {label.casefold(): count for label, count in found.counts} == given
    assert found.tasks == len(tasks) == sum(count for _, count in found.per_task)


def test_values_on_an_edge_go_right_and_a_threshold_is_not_passed_by_what_equals_it() -> None:
    spread = distribution([0.0, 0.1, 0.7, 2 * 7 / 20, 0.71, 5.0])
    edges = tuple(place / 10 for place in range(11))

    assert binned(spread, edges) == (1, 1, 0, 0, 0, 0, 0, 3, 0, 1)
    assert binned(spread, edges, up_to=True) == (2, 0, 0, 0, 0, 0, 2, 1, 0, 1)
    assert sum(binned(distribution([]), edges)) == 0
    assert summary(distribution([3, 1, 2])).median == 2
    assert summary(distribution([])).count == 0


def _answer(number: int, begin: float, seconds: float, failures: Failures | None = None) -> Answer:
    completion = Completion(
        text="",
        finish_reason="stop",
        usage=Usage(100, 10),
        started_at=BEGAN + begin,
        seconds=seconds,
        failures=failures or Failures(),
    )
    return Answer(Request("generation", str(number), Prompt("", ""), Sampling()), completion)


def _flow(answers: list[Answer]) -> Flow:
    found = flow(answers, resolve({}, {"endpoint": "http://127.0.0.1:9/v1", "model": "m"}))
    assert found is not None
    return found


def _widths(found: Flow) -> list[float]:
    """The width of each bin; the last one ends with the work."""
    last = found.worked - found.width * (len(found.seconds) - 1)
    return [found.width] * (len(found.seconds) - 1) + [last]


def test_flow_is_what_overlapping_requests_make_it() -> None:
    """Two in the air for 3 s and a third from the 1st to the 2nd second, in any order."""
    failed = Failures(rate=2, lost=1)
    found = _flow([_answer(0, 0, 3), _answer(2, 1, 1, failed), _answer(1, 0, 3)])

    assert found.width == 1
    assert list(found.in_flight) == [2, 3, 2]
    assert list(found.failed.rate) == [0, 2, 0]
    assert list(found.failed.lost) == [0, 1, 0]
    assert sum(found.failed.overload) == sum(found.failed.other) == 0
    assert sum(found.answers) / 60 == pytest.approx(3)
    assert sum(found.tokens) / 60 == pytest.approx(330)


def test_a_pause_is_cut_out_and_marked() -> None:
    found = _flow([_answer(0, 0, 10), _answer(1, 10 + PAUSE, 10), _answer(2, 15 + PAUSE, 20)])

    assert [(one.at, one.seconds) for one in found.pauses] == [(10, PAUSE)]
    assert found.worked == pytest.approx(35)
    busy = sum(a * b for a, b in zip(found.in_flight, _widths(found), strict=True))
    assert busy == pytest.approx(40)


def test_no_answer_and_no_second_is_lost_in_a_real_run(
    small_read: RunRead, small_measures: Measures
) -> None:
    found = small_measures.flow
    assert found is not None
    completions = [one.completion for one in small_read.answers]
    widths = _widths(found)

    def total(values: Sequence[float]) -> float:
        return sum(value * width for value, width in zip(values, widths, strict=True))

    assert total(found.answers) / 60 == pytest.approx(len(completions), rel=1e-4)
    assert total(found.in_flight) == pytest.approx(
        sum(one.seconds for one in completions), rel=1e-3
    )
    assert sum(found.failed.rate) == sum(one.failures.rate for one in completions) > 0
    assert sum(found.failed.lost) == sum(one.failures.lost for one in completions) > 0
    assert found.failed.total == sum(one.attempts - 1 for one in completions)
    assert len(found.pauses) == 1


def test_answers_without_times_have_no_flow() -> None:
    untimed = Answer(
        Request("generation", "0", Prompt("", ""), Sampling()),
        Completion(text="", finish_reason="error"),
    )
    assert flow([untimed], resolve({}, {"endpoint": "http://127.0.0.1:9/v1", "model": "m"})) is None


def test_limits_are_those_of_all_endpoints_together() -> None:
    lanes = [{"url": "http://127.0.0.1:9/v1", "rpm": 60.0}, {"url": "http://127.0.0.1:8/v1"}]
    one_without = resolve({"endpoints": lanes, "model": "m", "tpm": 1000.0}, {})
    found = flow([_answer(0, 0, 1)], one_without)

    assert found is not None
    assert found.limits.requests_per_minute is None
    assert found.limits.tokens_per_minute == 2000


def test_the_parser_finds_root_verbs_and_their_direct_objects() -> None:
    try:
        parser = load_parser()
    except MissingExtraError as error:
        pytest.skip(str(error))
    found = pairs(
        parser,
        [
            "Write a short poem about the sea. Give it a title.",
            "Write two poems for my sister.",
            "Translate the following sentence into French.",
            "Is it raining?",
            "Sleep well.",
            "",
        ],
    )

    assert [(one.verb, one.nouns) for one in found.verbs] == [
        ("write", (("poem", 2),)),
        ("translate", (("sentence", 1),)),
    ]
    assert (found.of, found.parsed, found.paired, found.different, found.shown) == (6, 6, 3, 2, 3)


def test_the_outline_is_what_a_program_can_read(small_measures: Measures) -> None:
    told = outline(small_measures)

    assert told["status"]["tasks"] == 120
    assert told["rouge_l"]["kept"]["count"] == 120
    assert told["rouge_l"]["kept"]["highest"] <= 0.7
    assert len(told["flow"]["seconds"]) == len(told["flow"]["in_flight"])


def test_answers_from_a_shared_cache_cost_nothing_and_have_no_time_of_this_run(
    small_read: RunRead,
) -> None:
    """Every second answer is taken for one that another run asked for."""
    answers = [
        structs.replace(one, completion=structs.replace(one.completion, recalled=number % 2 == 1))
        for number, one in enumerate(small_read.answers)
    ]
    asked = [one.completion for one in answers if not one.completion.recalled]
    taken = spending(answers)
    found = _flow(answers)

    assert sum(one.answers for one in taken) == len(answers)
    assert sum(one.answers - one.recalled for one in taken) == len(asked)
    assert sum((one.usage for one in taken), Usage()) == sum((one.usage for one in asked), Usage())
    assert sum(one.attempts for one in taken) == sum(one.attempts for one in asked)
    counted = sum(a * b for a, b in zip(found.answers, _widths(found), strict=True)) / 60
    assert counted == pytest.approx(len(asked), rel=1e-4)
