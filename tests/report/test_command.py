"""``asyncgen report`` as it is typed: real runs, finished, unfinished, empty and at work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from report.material import make_run
from support.command import asyncgen

from asyncgen.cli.app import run as command
from asyncgen.pipeline.folder import RunFolder
from asyncgen.pipeline.run import Run
from asyncgen.settings import resolve

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    capsys.readouterr()
    code = command(["report", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def _refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    code, out, err = _said(capsys, *arguments)
    assert code == 2
    assert not out
    assert err.count("\n") == 1
    return err


def test_a_run_gets_its_report_in_its_folder(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _said(capsys, small)

    assert code == 0
    assert out.splitlines()[0] == "small: 120 of 120 tasks"
    assert str(small / "report.html") in out
    assert not list(small.glob(".*.partial"))
    text = (small / "report.html").read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "").replace(
        "http://127.0.0.1:9/v1", ""
    )
    assert "https://" not in text


def test_the_same_run_gets_the_same_page(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.html", "two.html"):
        assert _said(capsys, small, "--out", tmp_path / name)[0] == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_measures_are_printed_for_programs(
    small: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _said(
        capsys,
        small,
        other,
        "--out",
        tmp_path / "both.html",
        "--figures",
        tmp_path / "figures",
        "--json",
    )
    told = json.loads(out)

    assert code == 0
    assert [one["name"] for one in told["runs"]] == ["small", "other <b>bold"]
    assert told["bytes"] == (tmp_path / "both.html").stat().st_size
    assert sorted(told["figures"]) == sorted(str(one) for one in (tmp_path / "figures").iterdir())
    assert told["runs"][0]["status"]["tasks"] == 120


def test_the_page_can_go_to_standard_output(
    small: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert command(["report", str(small), "--out", "-"]) == 0
    page = capfdbinary.readouterr().out

    assert page.startswith(b"<!doctype html>")
    assert page.rstrip().endswith(b"</html>")


def test_several_runs_leave_the_report_of_each_alone(
    small: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small / "report.html").write_text("mine", "utf-8")
    code, out, _ = _said(capsys, small, other)

    assert code == 0
    assert str(small / "comparison.html") in out
    assert (small / "report.html").read_text("utf-8") == "mine"


def test_a_run_at_work_and_unfinished_is_reported_as_far_as_it_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stopped after so many answers; its lock is held, as by a process at work."""
    folder = make_run(tmp_path / "run", 60, answers=130, max_in_flight=1)
    settings = RunFolder(folder).read_settings()
    with Run.opened(RunFolder(folder), settings):
        code, out, _ = _said(capsys, folder, "--json")
    state = json.loads(out)["runs"][0]["status"]

    assert code == 0
    assert state["tasks"] == len((folder / "dataset.jsonl").read_text("utf-8").splitlines())
    assert 0 < state["tasks"] < 60
    assert "Unfinished: 60 tasks are wanted" in (folder / "report.html").read_text("utf-8")


def test_a_run_whose_every_answer_was_useless_has_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run(tmp_path / "run", 10, answers=3, text_of=lambda _request: "")
    code, out, _ = _said(capsys, folder)

    assert code == 0
    assert "run: 0 of 10 tasks" in out


def test_a_run_without_an_answer_has_nothing_to_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = resolve({}, {"endpoint": "http://127.0.0.1:9/v1", "model": "m"})
    with Run.opened(RunFolder(tmp_path / "run"), settings):
        pass

    assert "nothing was answered yet" in _refused(capsys, tmp_path / "run")


def test_what_cannot_be_reported_is_told_in_a_line(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no run here" in _refused(capsys, tmp_path)
    assert "standard output" in _refused(capsys, small, "--out", "-", "--json")
    assert "named twice" in _refused(capsys, small, small / ".." / small.name)
    assert "six" in _refused(capsys, *(tmp_path / str(number) for number in range(7)))
    assert "cannot be written" in _refused(capsys, small, "--out", tmp_path / "no" / "x.html")
    (tmp_path / "file").touch()
    assert "cannot be made" in _refused(
        capsys, small, "--out", tmp_path / "x.html", "--figures", tmp_path / "file" / "figures"
    )


def test_without_a_parser_the_report_says_what_to_install(small: Path, tmp_path: Path) -> None:
    """A module of that name that cannot be imported stands before whatever is installed."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "spacy.py").write_text("raise ImportError", "utf-8")
    page = tmp_path / "report.html"
    done = asyncgen("report", small, "--out", page, PYTHONPATH=str(tmp_path / "hidden"))

    assert done.returncode == 0, done.stderr
    assert "pip install 'asyncgen[report]'" in done.stderr
    assert "pip install &#39;asyncgen[report]&#39;" in page.read_text("utf-8")
