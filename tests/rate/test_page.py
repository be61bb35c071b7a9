"""The rating page in a real browser, over a real server that is killed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rate.material import HOSTILE, Serving, write_study
from support.browser import browser, visit_server

from asyncgen.rate.job import database
from asyncgen.rate.store import RatingStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("study")
    with Serving(folder / "out", *write_study(folder)) as running:
        yield running


def _begin(page: Page, name: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Begin").click()
    page.locator("#rating").wait_for()


def _progress(page: Page, words: str) -> None:
    page.locator("#count", has_text=words).wait_for()


def _given(server_folder: Path) -> dict[int, str]:
    with RatingStore(database(server_folder), writable=False) as store:
        return store.given(1)


def test_ratings_survive_undo_reload_and_a_killed_server(chromium: Browser, tmp_path: Path) -> None:
    out = tmp_path / "out"
    expected: dict[int, str] = {}
    with (
        Serving(out, *write_study(tmp_path)) as server,
        visit_server(chromium, server.url) as here,
    ):
        page = here.page
        _begin(page, "Ada Lovelace")
        for count in range(10):
            key = "1234"[count % 4]
            expected[int(page.locator("#rating").get_attribute("data-number") or 0)] = "ABCD"[
                count % 4
            ]
            if count % 3:
                page.keyboard.press(key)
            else:
                page.locator(f"#choices [data-key='{key}']").click()
            _progress(page, f"{count + 1} of 16")
        assert _given(out) == expected

        last = list(expected)[-1]
        page.keyboard.press("u")
        _progress(page, "9 of 16")
        assert page.locator("#rating").get_attribute("data-number") == str(last)
        page.keyboard.press("4")
        _progress(page, "10 of 16")
        expected[last] = "D"

        page.reload()
        _progress(page, "10 of 16")
        assert page.locator("#leave").inner_text() == "Ada Lovelace"
        assert here.said == []

        number = page.locator("#rating").get_attribute("data-number")
        server.kill()
        page.keyboard.press("2")
        page.get_by_role("alert").wait_for()
        assert "B is not kept. The server does not answer" in page.get_by_role("alert").inner_text()
        assert page.locator("#count").inner_text() == "10 of 16"
        assert page.locator("#rating").get_attribute("data-number") == number
        assert _given(out) == expected

        with Serving(out, port=server.port):
            here.said.clear()
            page.get_by_role("button", name="Try again").click()
            _progress(page, "11 of 16")
            assert page.locator("#alert").is_hidden()
            for count in range(11, 16):
                page.keyboard.press("1")
                if count < 15:
                    _progress(page, f"{count + 1} of 16")
            page.get_by_role("heading", name="All rated").wait_for()
            counts = "8 times A, 3 times B, 2 times C, 3 times D"
            thanks = page.locator("#thanks").inner_text()
            assert thanks.startswith(f"Thank you, Ada Lovelace: {counts}.")
            page.get_by_role("button", name="Undo").click()
            _progress(page, "15 of 16")
            assert here.said == []
            assert here.asked == []
    assert len(_given(out)) == 15
    assert _given(out)[int(number or 0)] == "B"


def test_what_a_model_wrote_stays_text(chromium: Browser, server: Serving) -> None:
    seen: list[str] = []
    with visit_server(chromium, server.url) as here:
        page = here.page
        _begin(page, "<img src=x onerror=window.broken=4>")
        for count in range(16):
            seen.append(str(page.locator("#response").text_content()))
            assert page.locator(".text *").count() == 0
            page.keyboard.press("1")
            if count < 15:
                _progress(page, f"{count + 1} of 16")
        page.get_by_role("heading", name="All rated").wait_for()
        assert page.evaluate("typeof window.broken") == "undefined"
        assert page.locator("main img, main svg, main script").count() == 0
        assert page.locator("#leave").inner_text() == "<img src=x onerror=window.broken=4>"
        assert here.said == []
        assert here.asked == []
    assert set(HOSTILE) <= set(seen)
    assert len(seen) == 16


def test_the_policy_lets_nothing_run_and_nothing_out(chromium: Browser, server: Serving) -> None:
    from playwright.sync_api import Error

    fetch = "fetch('https://example.com/').then(() => 'came', () => 'refused')"
    markup = "try { document.body.innerHTML = '<b>x</b>'; 'set' } catch { 'refused' }"
    inline = "document.createElement('script').text = 'window.broken = 1'"
    with visit_server(chromium, server.url) as here:
        assert here.page.evaluate(fetch) == "refused"
        assert here.page.evaluate(markup) == "refused"
        with pytest.raises(Error, match="TrustedScript"):
            here.page.evaluate(inline)


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_it_fits_the_screen_and_its_buttons_a_thumb(
    chromium: Browser, server: Serving, width: int, *, dark: bool
) -> None:
    with visit_server(chromium, server.url, width=width, dark=dark) as here:
        page = here.page
        overflow = "document.documentElement.scrollWidth - innerWidth"
        assert page.evaluate(overflow) <= 0
        _begin(page, "x" * 60)
        assert page.evaluate(overflow) <= 0
        page.locator("summary").click()
        assert page.evaluate(overflow) <= 0
        for button in page.locator("#dock button").all():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
        paper = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
        assert paper == ("rgb(27, 30, 35)" if dark else "rgb(255, 255, 255)")


def test_everything_can_be_done_by_keyboard_and_raters_change(
    chromium: Browser, server: Serving
) -> None:
    with visit_server(chromium, server.url) as here:
        page = here.page
        page.keyboard.type("Eve")
        page.keyboard.press("Enter")
        page.locator("#rating").wait_for()
        first = page.locator("#rating").get_attribute("data-number")
        # With modifiers a digit is the browser's, not a rating.
        page.keyboard.press("Alt+1")
        page.keyboard.press("3")
        _progress(page, "1 of 16")
        assert page.get_by_role("status").inner_text() == "Rated C. 1 of 16 rated."
        page.get_by_role("button", name="Eve: change rater").click()
        _begin(page, "Bob 1")
        _progress(page, "0 of 16")
        page.go_back()
        page.go_back()
        page.locator("#leave", has_text="Eve").wait_for()
        _progress(page, "1 of 16")
        page.keyboard.press("u")
        _progress(page, "0 of 16")
        assert page.locator("#rating").get_attribute("data-number") == first
        assert here.said == []
