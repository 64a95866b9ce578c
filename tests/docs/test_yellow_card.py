"""docs/yellow-card.md: its commands run as printed, one after the other, and end where the page says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.docs.test_readme import ROOT, run
from tests.web.test_process import serving

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "yellow-card.md").read_text(encoding="utf-8")
(BLOCK,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_commands_lead_from_a_list_to_a_reference(tmp_path: Path) -> None:
    with serving(tmp_path / "records.sqlite3", "--example") as (_, address):
        printed = run(BLOCK, address)
    assert json.loads(printed[0])["total"] == 1
    assert printed[4].startswith("<!doctype html>")
    answers = [json.loads(one) for one in (*printed[1:4], *printed[5:])]
    states = [one["state"] for one in answers[1:]]
    assert states == ["draft", "draft", "ready", "prepared", "submitted", "acknowledged"]
    assert answers[-1]["status"] == "Acknowledged: Yellow Card reference YC-2026-0001"


def test_every_rendering_and_step_is_on_the_page() -> None:
    for name in ("sheet", "json", "bundle", "adverse-event", "csv", "e2b"):
        assert f"| `{name}` |" in PAGE


def test_the_open_points_are_said() -> None:
    said = PAGE.split("## What is not supported, and what is open", 1)[1]
    for point in ("live web form", "receiver identifier", "DCB1582", "MedDRA", "routes by nation", "IMDRF"):
        assert point in said
