"""Figures hold what was measured, as files that others can read."""

from __future__ import annotations

import csv
import io
import struct
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from asyncgen.pipeline.status import Judged
from asyncgen.report.figures.axes import Axis
from asyncgen.report.figures.charts import Bar, bars
from asyncgen.report.figures.figure import Figure, Table, as_csv
from asyncgen.report.figures.files import can_draw_png, png, write_figures
from asyncgen.report.figures.gallery import gallery
from asyncgen.report.figures.svg import standalone
from asyncgen.report.measures.verbs import Pairs, Verb

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.report.measures.measures import Measures

SVG = "{http://www.w3.org/2000/svg}"


def _with_verbs(run: Measures) -> Measures:
    """Verbs without a parser: what is drawn does not depend on who counted."""
    verbs = (Verb("write", 5, (("poem", 3), ("letter", 2))), Verb("give", 1, (("hint", 1),)))
    found = Pairs(of=9, parsed=9, paired=6, different=3, shown=6, parser="a parser", verbs=verbs)
    return structs.replace(run, pairs=found)


def _by_name(runs: list[Measures]) -> dict[str, Figure]:
    return {figure.name: figure for figure in gallery(runs).figures}


def _parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own


def _rows(figure: Figure) -> list[list[str]]:
    return list(csv.reader(io.StringIO(as_csv(figure.table))))[1:]


def test_every_figure_is_a_picture_with_words_and_values(small_measures: Measures) -> None:
    figures = _by_name([_with_verbs(small_measures)])

    assert set(figures) == {
        *("verbs", "length-instruction", "length-input", "length-output", "labels"),
        *("rouge-seed", "rouge-kept", "acceptance", "novelty", "funnel", "instances"),
        *("tokens", "in-flight", "throughput", "tokens-over-time", "retries"),
    }
    for figure in figures.values():
        root = _parsed(standalone(figure))
        assert root.findtext(f"{SVG}text") == figure.title
        assert root.findall(f".//{SVG}title")
        assert figure.note
        assert all(len(row) == len(figure.table.columns) for row in figure.table.rows)


def test_values_in_files_are_those_of_the_run(small_measures: Measures) -> None:
    figures = _by_name([small_measures])
    tasks = len(small_measures.tasks)
    state = small_measures.status

    assert sum(int(row[2]) for row in _rows(figures["rouge-kept"])) == tasks
    assert sum(int(row[2]) for row in _rows(figures["length-instruction"])) == tasks
    funnel = {row[0]: int(row[1]) for row in _rows(figures["funnel"])}
    assert funnel["candidates"] == state.candidates
    assert funnel["in the dataset"] == tasks
    assert funnel["candidates"] - funnel["- similar"] - funnel["- blacklisted"] == state.kept


def test_a_ring_shows_each_pair_in_proportion(small_measures: Measures) -> None:
    ring = _by_name([_with_verbs(small_measures)])["verbs"]
    tips = [one.text for one in _parsed(standalone(ring)).iter(f"{SVG}title")]

    assert tips == [
        *("write: 5 with an object", "write poem: 3", "write letter: 2"),
        *("give: 1 with an object", "give hint: 1"),
    ]


def test_two_runs_are_drawn_over_each_other(both_measures: list[Measures]) -> None:
    for figure in gallery(both_measures).figures:
        text = standalone(figure)
        assert ">small" in text, figure.name
        assert "&lt;b&gt;bold" in text, figure.name
        _parsed(text)


def test_a_label_that_no_xml_can_hold_is_drawn_all_the_same() -> None:
    picture = bars("\x00", [Bar("</text><script>\x0b\ud800 & more", 3, "\x1f", 0)])
    figure = Figure(name="x", title="<b>", note="", picture=picture, table=Table((), ()))
    root = _parsed(standalone(figure))

    assert not list(root.iter(f"{SVG}script"))
    assert "</text><script>�" in "".join(root.itertext())


def test_a_run_without_a_task_has_figures(small_measures: Measures) -> None:
    empty = structs.replace(
        small_measures,
        tasks=(),
        stretches=(),
        flow=None,
        **dict.fromkeys(("to_seed", "to_kept"), structs.replace(small_measures.to_seed, values=())),
    )
    for figure in gallery([empty]).figures:
        _parsed(standalone(figure))


@pytest.mark.parametrize(
    ("high", "marks"),
    [
        (1.0, [0, 0.25, 0.5, 0.75, 1]),
        (9.0, [0, 2, 4, 6, 8, 10]),
        (0.004, [0, 0.001, 0.002, 0.003, 0.004]),
    ],
)
def test_axes_are_marked_at_round_numbers(high: float, marks: list[float]) -> None:
    assert Axis(label="", high=high).marks() == pytest.approx(marks)


def test_counts_are_marked_at_whole_numbers() -> None:
    assert Axis(label="", high=2, whole=True).marks() == [0, 1, 2]


def test_figures_are_written_as_svg_and_csv_and_png_where_it_can_be_drawn(
    small_measures: Measures, tmp_path: Path
) -> None:
    figures = gallery([small_measures]).losses
    written = write_figures(tmp_path / "new" / "figures", figures)

    endings = {".svg", ".csv", *([".png"] if can_draw_png() else [])}
    assert {path.suffix for path in written} == endings
    assert {path.stem for path in written} == {figure.name for figure in figures}
    assert {path.name for path in (tmp_path / "new" / "figures").iterdir()} == {
        p.name for p in written
    }


def test_a_png_shows_words_and_bars() -> None:
    if not can_draw_png():
        pytest.skip("PNG needs the extra 'report'")

    def drawn(name: str) -> bytes:
        picture = bars("bars", [Bar(name, 3, "3", 0)])
        return png(Figure(name="x", title="t", note="", picture=picture, table=Table((), ())))

    one = drawn("words")
    assert one.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", one[16:24])
    assert width > 1000
    assert height > 100
    assert one != drawn("other words"), "the words are not drawn"


def test_failed_attempts_are_told_apart_over_time(small_measures: Measures) -> None:
    figure = _by_name([small_measures])["retries"]
    flow = small_measures.flow
    assert flow is not None
    sums = [sum(float(row[place]) for row in _rows(figure)) for place in range(2, 6)]

    assert figure.table.columns[2] == "refused for the rate (429)"
    assert sums == [sum(flow.failed.rate), 0, sum(flow.failed.lost), 0]
    assert sums[0] > sums[2] > 0
    tips = " ".join(one.text or "" for one in _parsed(standalone(figure)).iter(f"{SVG}title"))
    assert "refused for the rate (429): " in tips
    assert "overloaded" not in tips


def test_a_judge_s_scores_are_drawn_where_there_was_one(small_measures: Measures) -> None:
    judged = Judged(tasks=9, instances=10, scores={"1": 6, "0.67": 3, "0": 1}, unsaid=2)
    run = structs.replace(
        small_measures, status=structs.replace(small_measures.status, judged=judged)
    )
    figures = _by_name([run])

    assert "scores" not in _by_name([small_measures])
    assert _rows(figures["scores"]) == [["score 1", "6"], ["score 0.67", "3"], ["score 0", "1"]]
    assert "Of 2 the judge left a question open" in figures["scores"].note
    assert ["judged", "9"] in _rows(figures["funnel"])
    assert _rows(_by_name([run, small_measures])["scores"])[0][1:] == ["6", "0"]
