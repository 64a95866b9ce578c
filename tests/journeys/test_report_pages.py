"""Safety reports in a real browser: the list, one report, and the sheet as it is read and printed on A4."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

from tests.journeys.test_browser import CONTRAST, NARROW, browser, page
from tests.web.test_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

__all__ = ["browser", "page"]
pytestmark = pytest.mark.browser
CASE = "3f257e8d-41c4-5365-8888-9e1c738b01f5"
"""The report of the example's event."""
PATHS = ("/reports", "/reports?needs=attention", f"/reports/{CASE}", f"/reports/{CASE}/renderings/sheet")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("reports") / "records.sqlite3", "--example") as (_, found):
        yield found


@pytest.mark.parametrize("path", PATHS)
def test_headings_and_tables_are_read_aloud_in_order(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    assert page.locator("html").get_attribute("lang") == "en-GB"
    assert page.get_by_role("main").count() == 1
    levels = [
        int(name[1]) for name in page.locator("h1,h2,h3").evaluate_all("all => all.map(e => e.tagName)")
    ]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for header in page.locator("th").all():
        assert header.get_attribute("scope") in ("col", "row")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_cut_off_and_text_stands_out(page: Page, address: str, path: str) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.goto(address + path)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"]
    assert [one for one in page.evaluate(CONTRAST) if one[1] < 4.5] == []


def test_the_list_leads_to_a_report_and_that_to_its_sheet(page: Page, address: str) -> None:
    page.goto(f"{address}/reports?needs=attention")
    page.get_by_role("link", name=CASE).click()
    assert "It is not known whether this is to be reported" in page.locator("main").inner_text()
    page.get_by_role("link", name="sheet", exact=True).click()
    assert page.locator(".status .word").inner_text() == "Not decided, not submitted"


def test_the_sheet_prints_on_a4_and_fetches_nothing(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/reports/{CASE}/renderings/sheet")
    printed = page.pdf(prefer_css_page_size=True)
    assert [url for url in asked if not url.endswith(("/renderings/sheet", "/favicon.ico"))] == []
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}
    assert 1 <= len(boxes) <= 3
