"""Results: counts, differences and agreement follow from the ratings that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from rate.material import row, write_rows, write_study

from asyncgen.errors import RunFolderError
from asyncgen.rate.job import opened, write_results
from asyncgen.rate.responses import read_responses
from asyncgen.rate.results import results_of
from asyncgen.rate.words import markdown, plain
from asyncgen.statistics.agreement import kappa, spearman
from asyncgen.statistics.bootstrap import Resampling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asyncgen.rate.results import Results
    from asyncgen.rate.store import RatingStore

TASKS = 40
SMALL = Resampling(resamples=200)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RatingStore]:
    """Two people and a model that judges; the second model's responses are better."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    with opened(folder / "out", read_responses(write_study(folder, TASKS)), None) as (made, _):
        made.rater("nobody", "Nobody")
        judge = made.rater("judge", "judge-1", "model").number
        ada, bob = (made.rater(name.lower(), name).number for name in ("Ada", "<i>Bob"))
        for number, response in made.responses().items():
            level = int(rng.integers(0, 2 if response.model == "<b>tuned</b>" else 4))
            made.rate(ada, number, "ABCD"[level])
            if number <= TASKS:
                made.rate(bob, number, "ABCD"[min(level + int(rng.integers(0, 2)), 3)])
            made.rate(judge, number, "A")
        yield made


@pytest.fixture(scope="module")
def results(store: RatingStore) -> Results:
    return results_of(store, SMALL)


def test_people_come_before_models_and_only_those_who_rated(results: Results) -> None:
    found = [(one.rater, one.kind, one.rated, one.total) for one in results.raters]

    assert found == [
        ("Ada", "person", 2 * TASKS, 2 * TASKS),
        ("<i>Bob", "person", TASKS, 2 * TASKS),
        ("judge-1", "model", 2 * TASKS, 2 * TASKS),
    ]


def test_counts_are_those_of_each_model(store: RatingStore, results: Results) -> None:
    responses, given = store.responses(), store.given(3)
    for model in results.raters[0].models:
        levels = [
            level for number, level in given.items() if responses[number].model == model.model
        ]
        assert model.counts == tuple(levels.count(letter) for letter in "ABCD")
        assert model.best.value == levels.count("A") / TASKS
        share = (levels.count("A") + levels.count("B")) / TASKS
        assert model.acceptable.value == share
        assert model.acceptable.low is not None
        assert model.acceptable.high is not None
        assert model.acceptable.low <= share <= model.acceptable.high


def test_the_better_model_is_told_from_the_other(results: Results) -> None:
    (difference,) = results.raters[0].differences

    assert difference.models == ("<b>tuned</b>", "base model")
    assert difference.tasks == TASKS
    assert difference.acceptable.high is not None
    assert difference.acceptable.high < 0
    assert difference.p_value is not None
    assert difference.p_value < 0.01


def test_agreement_is_over_what_both_rated(store: RatingStore, results: Results) -> None:
    pair = results.agreement[0]
    ada, bob = store.given(3), store.given(4)
    both = [("ABCD".index(ada[number]), "ABCD".index(bob[number])) for number in bob]

    assert pair.raters == ("Ada", "<i>Bob")
    assert pair.common == TASKS
    assert pair.kappa.value == pytest.approx(kappa(pair.table).value)
    assert pair.rho.value == pytest.approx(spearman(*zip(*both, strict=True)))
    two = [
        [sum((one > 1, other > 1) == (a, b) for one, other in both) for b in (0, 1)] for a in (0, 1)
    ]
    assert pair.kappa_two.value == pytest.approx(kappa(two).value)
    for estimate in (pair.kappa, pair.kappa_two, pair.rho):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.value is not None
        assert estimate.low <= estimate.value <= estimate.high


def test_a_judge_is_reported_apart_with_its_agreement_to_each_person(results: Results) -> None:
    with_judge = [one for one in results.agreement if one.with_model]

    assert [one.raters for one in with_judge] == [("Ada", "judge-1"), ("<i>Bob", "judge-1")]
    # It gave everything an A: no better than chance, and no rank to correlate.
    assert [one.kappa.value for one in with_judge] == [0.0, 0.0]
    assert with_judge[0].rho.value is None
    assert "judge-1 (a model)" in "\n".join(plain(results))


def test_the_same_ratings_give_the_same_numbers(store: RatingStore, results: Results) -> None:
    assert results_of(store, SMALL) == results


def test_ratings_taken_back_do_not_count(store: RatingStore, results: Results) -> None:
    eve = store.rater("eve", "Eve").number
    store.rate(eve, 1, "A")
    store.rate(eve, 1, None)

    assert results_of(store, SMALL).raters == results.raters


def test_names_are_no_markup_in_any_of_the_files(store: RatingStore) -> None:
    written = write_results(store.path.parent, SMALL)
    page = (store.path.parent / "results.html").read_text("utf-8")
    text = (store.path.parent / "results.md").read_text("utf-8")

    assert "<i>Bob" not in page
    assert "<b>tuned" not in page
    assert "&lt;i&gt;Bob" in page
    assert "script" not in page.replace("script-src", "")
    assert "<i>Bob" not in text
    assert "\\<i\\>Bob" in text
    names = {path.name for path in written.files}
    assert {"results.html", "results.md", "levels-1.svg", "levels-3.csv"} <= names
    assert "https://" not in page
    pictures = [line.split("(")[1].rstrip(")") for line in text.splitlines() if line[:2] == "!["]
    assert pictures == ["figures/levels-1.svg", "figures/levels-2.svg", "figures/levels-3.svg"]


def test_the_figure_shows_what_was_counted(store: RatingStore, results: Results) -> None:
    write_results(store.path.parent, SMALL)
    lines = (store.path.parent / "figures" / "levels-1.csv").read_text("utf-8").splitlines()
    found = {line.rsplit(",", 4)[0]: line.rsplit(",", 4)[1:] for line in lines}

    assert found.pop("model") == ["A", "B", "C", "D"]
    assert found == {one.model: [*map(str, one.counts)] for one in results.raters[0].models}


def test_a_study_without_ratings_says_so(tmp_path: Path) -> None:
    given = [write_rows(tmp_path / "one.jsonl", [row(0, "m")])]
    with opened(tmp_path / "out", read_responses(given), None) as (store, _):
        results = results_of(store)
    assert "nobody has rated yet" in "\n".join(plain(results))
    assert "# Ratings" in markdown(results, [])
    write_results(tmp_path / "out")
    assert "Nobody has rated yet" in (tmp_path / "out" / "results.html").read_text("utf-8")


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no study here: name files of responses"):
        write_results(tmp_path)
