"""The page of conformance: every demand is proved by a test, and the page is as it would be made now."""

from __future__ import annotations

from tools.generate_hooks_conformance import PAGE, page, read_demands, read_markers

DEMANDS, MARKERS = read_demands(), read_markers()


def test_every_demand_is_proved() -> None:
    assert len(DEMANDS) > 40
    missing = [text for demand in DEMANDS for text in demand.proof if text not in MARKERS]
    assert missing == []
    assert [demand.says for demand in DEMANDS if not demand.proof] == []


def test_every_statement_names_its_section() -> None:
    assert [text for text in MARKERS if not text.partition(": ")[2]] == []


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(DEMANDS, MARKERS), "run make generate"
