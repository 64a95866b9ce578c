"""The report as PDF: A4, the same bytes, letters that the font has, and a clear word without the extra."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import pytest

from service.domain.errors import Unprocessable
from service.yellow_card.pdf import pdf
from service.yellow_card.structured import structured
from tests.yellow_card.rendering import SITE, device, everyone, material


@pytest.mark.parametrize("name", everyone())
def test_a_report_is_an_a4_file_of_the_same_bytes(name: str) -> None:
    told = structured(everyone()[name], SITE, material())
    made = pdf(told)
    assert (made.media_type, made.file_name, made.kind) == (
        "application/pdf", told.file_name.replace(".json", ".pdf"), "pdf",
    )  # fmt: skip
    assert made.body.startswith(b"%PDF-")
    boxes = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", made.body)
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}
    assert b"/JavaScript" not in made.body
    assert pdf(told).body == made.body


def test_a_long_narrative_runs_over_pages_and_markup_stays_text() -> None:
    long = "<b>&amp; a line\n" * 600
    made = pdf(structured(replace(device(), narrative=long), SITE, material()))
    assert len(re.findall(rb"/Type /Page\b(?!s)", made.body)) > 5


def test_letters_that_the_font_lacks_are_named() -> None:
    told = structured(replace(device(), narrative="患者"), SITE, material())
    with pytest.raises(
        Unprocessable, match=r"lacks letters of this report \(U\+60A3, U\+8005\): print the sheet"
    ):
        pdf(told)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    told = structured(device(), SITE, material())
    for module in [name for name in sys.modules if name.startswith("reportlab")]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "reportlab", None)
    with pytest.raises(Unprocessable, match=r"pip install 'htg117\[pdf\]', or print the sheet"):
        pdf(told)
