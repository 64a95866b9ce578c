"""The pages in a real browser: what they say, how they are read aloud, by keyboard and on a small screen."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.web.test_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
NARROW = {"width": 320, "height": 640}
PARAGRAPHS = {"1.1", "1.2", "2.1.1", "2.1.2", "2.2.3", "2.2.4", "2.4.1", "2.5.1", "2.5.2"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("pages") / "records.sqlite3") as (_, found):
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next((path for path in BROWSERS if Path(path).exists()), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium here: `make system` installs it")
        pytest.skip("no Chromium here: `make system` installs it")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=executable, headless=True, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test where the browser complains of anything."""
    context = browser.new_context()
    made = context.new_page()
    complaints: list[str] = []
    made.on(
        "console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None
    )
    made.on("pageerror", lambda fault: complaints.append(str(fault)))
    yield made
    context.close()
    assert complaints == []


def test_the_first_page_says_what_it_is_and_is_not(page: Page, address: str) -> None:
    page.goto(address)
    assert "HTG117" in page.title()
    assert page.locator("html").get_attribute("lang") == "en-GB"
    said = page.locator("main").inner_text()
    for words in ("does not decide", "not endorsed", "never taken for a no", "Development mode"):
        assert words in said
    for words in ("approved", "eligible to proceed"):
        assert words not in said.lower()


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_landmarks_and_headings_lead_through_the_page(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("contentinfo").count() == 1
    assert page.locator("a.skip").get_attribute("href") == "#main"
    levels = [
        int(name[1])
        for name in page.locator("h1,h2,h3,h4,h5,h6").evaluate_all("all => all.map(e => e.tagName)")
    ]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for header in page.locator("th").all():
        assert header.get_attribute("scope") in ("col", "row")


def test_each_recommendation_stands_beside_its_paragraph(page: Page, address: str) -> None:
    page.goto(address)
    rows = page.locator("main tbody tr").all()
    cited = {part.strip() for row in rows for part in row.locator("td").last.inner_text().split(",")}
    assert PARAGRAPHS - cited == set()
    assert [row.inner_text() for row in rows if not row.locator("td").last.inner_text().strip()] == []


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_every_link_leads_somewhere(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    targets = page.locator("a[href]").evaluate_all("all => all.map(e => e.getAttribute('href'))")
    assert targets
    for target in dict.fromkeys(targets):
        if target.startswith("#"):
            assert page.locator(target).count() == 1, target
        elif target.startswith("/"):
            assert page.request.get(address + target).status == 200, target
    page.get_by_role("link").nth(1).click()
    assert page.url != address + path


def test_the_keyboard_reaches_every_link_and_the_focus_is_seen(page: Page, address: str) -> None:
    page.goto(address)
    links = page.locator("a[href]").count()
    look = (
        "() => { const s = getComputedStyle(document.activeElement); "
        "return [document.activeElement.getAttribute('href'), s.outlineStyle, parseFloat(s.outlineWidth)] }"
    )
    seen = []
    for _ in range(links):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(look))
    targets = page.locator("a[href]").evaluate_all("all => all.map(e => e.getAttribute('href'))")
    assert [target for target, _, _ in seen] == targets
    assert [one for one in seen if one[1] == "none" or one[2] < 2] == []


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_nothing_is_cut_off_on_a_small_screen(page: Page, address: str, path: str) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.goto(address + path)
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= NARROW["width"]


def test_text_stands_out_from_its_ground(page: Page, address: str) -> None:
    page.goto(address)
    ratios = page.evaluate(CONTRAST)
    assert ratios
    assert [one for one in ratios if one[1] < 4.5] == []


CONTRAST = """() => {
  const parse = text => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('main *')].filter(e => e.childNodes.length && e.innerText).map(e => {
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    return [e.tagName, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  });
}"""
