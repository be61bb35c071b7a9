"""The page in a real browser: nothing fetched, nothing run that a model wrote, all of it usable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from report.material import HOSTILE, make_run
from support.browser import browser, find_chromium, visit

from asyncgen.report.job import make_report
from asyncgen_kernels import warm_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

LARGEST = 8_000_000
COUNT = 2000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 2,000 tasks; made only where there is a browser to show it."""
    find_chromium()
    warm_up(scan=True)
    return make_run(tmp_path_factory.mktemp("large") / "<i>large", COUNT)


@pytest.fixture(scope="module")
def page(run: Path) -> Path:
    made = run / "report.html"
    make_report([run], made, None)
    return made


@pytest.fixture(scope="module")
def comparison(small: Path, other: Path) -> Path:
    made = small / "comparison.html"
    make_report([small, other], made, None)
    return made


@pytest.fixture(scope="module")
def chromium(page: Path, comparison: Path) -> Iterator[Browser]:
    """A browser, after the pages: the loop that drives it is in the way of a run's."""
    with browser() as running:
        yield running


def _tasks(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "dataset.jsonl").read_text("utf-8").splitlines()]


def _found(page: Page) -> str:
    return page.locator("#found").inner_text()


def _column(page: Page, number: int) -> list[str]:
    return page.locator(f"#rows > tr:not(.detail) > td:nth-child({number})").all_inner_texts()


def _overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def _paper(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor"))


def test_a_run_of_2000_tasks_opens_without_an_error_or_a_request(
    chromium: Browser, page: Path
) -> None:
    assert page.stat().st_size <= LARGEST
    with visit(chromium, page) as here:
        assert _found(here.page) == "2,000 tasks"
        assert len(_column(here.page, 1)) == 25
        here.page.get_by_role("button", name="Next").click()
        here.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
        assert here.said == []
        assert here.asked == []


def test_the_policy_of_the_page_lets_nothing_out(chromium: Browser, page: Path) -> None:
    """So that what an extension or a slip in the page would fetch is not fetched either."""
    fetch = "fetch('https://example.com/').then(() => 'came', () => 'refused')"
    markup = "try { document.body.innerHTML = '<b>x</b>'; 'set' } catch { 'refused' }"
    with visit(chromium, page) as here:
        assert here.page.evaluate(fetch) == "refused"
        assert here.page.evaluate(markup) == "refused"
        assert any("Content Security Policy" in line for line in here.said)


def test_search_finds_what_the_dataset_holds(chromium: Browser, run: Path, page: Path) -> None:
    tasks = _tasks(run)
    texts = [
        "\n".join(
            [str(one["instruction"]), json.dumps(one["instances"], ensure_ascii=False)]
        ).lower()
        for one in tasks
    ]
    with visit(chromium, page) as here:
        for query in ("COMPARE the", "tuwe", "no such words"):
            here.page.get_by_role("searchbox").fill(query)
            count = sum(all(word in text for word in query.lower().split()) for text in texts)
            assert _found(here.page) == f"{count:,} of 2,000 tasks"
        here.page.get_by_role("searchbox").fill("tuwe")
        marks = here.page.locator("#rows mark").all_inner_texts()
        assert marks
        assert set(marks) == {"tuwe"}


def test_tasks_can_be_parted_by_kind_and_sorted(chromium: Browser, run: Path, page: Path) -> None:
    tasks = _tasks(run)
    with visit(chromium, page) as here:
        here.page.get_by_label("Kind", exact=True).select_option(label="classification")
        count = sum(bool(one["is_classification"]) for one in tasks)
        assert _found(here.page) == f"{count:,} of 2,000 tasks"

        here.page.get_by_role("button", name="To kept").click()
        up = [float(value) for value in _column(here.page, 6)]
        here.page.get_by_role("button", name="To kept").click()
        down = [float(value) for value in _column(here.page, 6)]
        assert up == sorted(up)
        assert down == sorted(down, reverse=True)
        assert down[0] > up[0]
        assert here.page.locator("th[aria-sort=descending]").inner_text().startswith("To kept")


def test_a_task_opens_by_keyboard_with_its_instances_and_neighbours(
    chromium: Browser, run: Path, page: Path
) -> None:
    task = _tasks(run)[3]
    with visit(chromium, page) as here:
        button = here.page.locator("#rows .open").nth(3)
        button.focus()
        here.page.keyboard.press("Enter")
        shown = here.page.locator("#rows .detail").inner_text()
        assert button.get_attribute("aria-expanded") == "true"
        here.page.keyboard.press("Enter")
        assert here.page.locator("#rows .detail").count() == 0
    instances = task["instances"]
    assert isinstance(instances, list)
    assert all(one["output"] in shown for one in instances)
    assert "nearest seed" in shown
    assert str(task["id"]) in shown


def test_what_a_model_wrote_stays_text(chromium: Browser, page: Path) -> None:
    with visit(chromium, page) as here:
        for words in HOSTILE:
            here.page.get_by_role("searchbox").fill(words.replace("\u2028", " "))
            shown = here.page.locator("#rows .open").first
            assert " ".join(shown.inner_text().split()) == " ".join(words.split())
            shown.click()
        here.page.get_by_role("searchbox").fill("<b>bad</b>")
        assert here.page.locator("#rows .open").count() == 25
        assert here.page.evaluate("typeof window.broken") == "undefined"
        assert here.page.locator("main img, main i, main b, main a, svg script").count() == 0
        assert here.page.locator("h1").inner_text() == "<i>large"
        assert "test-<i>model</i>" in here.page.locator(".lead").inner_text()
        assert here.said == []
        assert here.asked == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_width_makes_the_page_wider_than_the_screen(
    chromium: Browser, page: Path, comparison: Path, width: int
) -> None:
    for path in (page, comparison):
        with visit(chromium, path, width=width) as here:
            assert _overflow(here.page) <= 0
            here.page.locator("#rows .open").first.click()
            here.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
            assert _overflow(here.page) <= 0


def test_colours_follow_the_reader_and_then_the_button(chromium: Browser, page: Path) -> None:
    with visit(chromium, page) as here:
        light = _paper(here.page)
        here.page.get_by_role("button", name="Switch to dark colours").click()
        dark = _paper(here.page)
        assert dark != light
        here.page.reload()
        assert _paper(here.page) == dark
        here.page.get_by_role("button", name="Switch to light colours").click()
        assert _paper(here.page) == light
    with visit(chromium, page, dark=True) as here:
        assert _paper(here.page) == dark
        here.page.emulate_media(media="print")
        assert _paper(here.page) == light


def test_pointing_at_a_mark_says_what_it_is(chromium: Browser, page: Path) -> None:
    with visit(chromium, page) as here:
        bar = here.page.locator("#figure-funnel rect").first
        bar.scroll_into_view_if_needed()
        bar.hover()
        here.page.mouse.move(*_middle(bar.bounding_box()))
        assert here.page.locator("#tip").inner_text().startswith("candidates: ")


def _middle(box: object) -> tuple[float, float]:
    assert isinstance(box, dict)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 1


def test_two_runs_stand_side_by_side(chromium: Browser, comparison: Path) -> None:
    with visit(chromium, comparison) as here:
        assert _found(here.page) == "200 tasks"
        differing = here.page.get_by_role("region", name="Settings that differ").inner_text()
        assert {"seed", "threshold", "target", "rpm"} <= set(differing.split())
        here.page.get_by_label("Run", exact=True).select_option(label="other <b>bold")
        assert _found(here.page) == "80 of 200 tasks"
        assert set(_column(here.page, 2)) == {"other <b>bold"}
        assert here.said == []
        assert here.asked == []
