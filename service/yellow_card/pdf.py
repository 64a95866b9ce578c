"""The report as PDF, made from its structured JSON. An optional extra: ``pip install 'htg117[pdf]'``.

A4, one font that is set into the file, no script. The same report gives the same bytes. The sheet in HTML is
what counts where the two could differ: a PDF is refused for letters that its font does not have.
"""

from __future__ import annotations

import io
import json
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from service.domain.errors import Unprocessable
from service.yellow_card.rendered import Rendered

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = "pdf"
_FONT, _BOLD = "Vera", "VeraBd"
_GREY = "#768692"
_ROOM = 80
"""Points below which a heading goes to the next page."""


def pdf(structured: Rendered) -> Rendered:
    """The PDF of a report given as structured JSON.

    Unprocessable where the extra is not installed, or the font lacks a letter; both say what to do.
    """
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.units import mm
        from reportlab.platypus import SimpleDocTemplate
    except ImportError:
        raise Unprocessable(
            "PDF is an optional extra and is not installed: pip install 'htg117[pdf]', or print the sheet"
        ) from None
    told: dict[str, Any] = json.loads(structured.body)
    _require_letters(told)
    file = io.BytesIO()
    page = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=15 * mm, rightMargin=15 * mm, topMargin=16 * mm, bottomMargin=18 * mm,
        title=f"{told['title']}. {told['status']}",
        author="", subject=f"Case {told['case']}, version {told['version']}", lang="en-GB",
        invariant=1,
    )  # fmt: skip

    def foot(canvas: Any, document: Any) -> None:
        canvas.setFont(_FONT, 7.5)
        canvas.drawString(
            15 * mm, 10 * mm,
            f"{told['status']}. Case {told['case']}, version {told['version']}, page {document.page}",
        )  # fmt: skip

    page.build(list(_story(told)), onFirstPage=foot, onLaterPages=foot)
    name = structured.file_name.removesuffix(".json")
    return Rendered("application/pdf", f"{name}.pdf", file.getvalue(), KIND)


@cache
def _styles() -> dict[str, Any]:
    """The styles, their fonts made known once."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name in (_FONT, _BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    body = ParagraphStyle("body", fontName=_FONT, fontSize=9, leading=12)
    return {
        "body": body,
        "h1": ParagraphStyle("h1", parent=body, fontName=_BOLD, fontSize=14, leading=18, spaceAfter=6),
        "h2": ParagraphStyle("h2", parent=body, fontName=_BOLD, fontSize=11, leading=14, spaceBefore=9,
                             spaceAfter=3),
        "word": ParagraphStyle("word", parent=body, fontName=_BOLD, fontSize=11, leading=14),
    }  # fmt: skip


def _require_letters(told: Any) -> None:
    """Nothing, where the font has every letter of every text; else Unprocessable."""
    from reportlab.pdfbase import pdfmetrics

    _styles()
    known = pdfmetrics.getFont(_FONT).face.charToGlyph
    lacking = sorted(
        {sign for text in _texts(told) for sign in text if sign >= " " and ord(sign) not in known}
    )
    if lacking:
        names = ", ".join(f"U+{ord(sign):04X}" for sign in lacking[:10])
        raise Unprocessable(f"the PDF's font lacks letters of this report ({names}): print the sheet instead")


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _texts(inner)


def _story(told: dict[str, Any]) -> Iterator[Any]:
    from reportlab.platypus import CondPageBreak, Spacer

    yield _text(told["title"], "h1")
    yield _box([told["status"], told["meaning"], *told["instructions"], *_where(told)])
    for title, listed in (
        ("Needed, and missing", told["missing"]["minimum"]),
        ("Would help, and can follow", told["missing"]["helpful"]),
    ):
        if listed:
            yield _text(title, "h2")
            for one in listed:
                yield _text(f"{one['section']}: {one['label']}. {one['remedy']}.")
    for section in told["sections"]:
        rows = [(one["label"], one["text"]) for one in section["fields"] if one["text"] is not None]
        if rows:
            number = f" ({section['number']})" if section.get("number", 1) > 1 else ""
            yield CondPageBreak(_ROOM)
            yield _text(f"{section['title']}{number}", "h2")
            yield _table(rows)
    if "suggestions" in told:
        yield _text("IMDRF terms that may fit: suggestions, not coding", "h2")
        yield _text(told["suggestions"]["note"])
        yield _table([
            (f"{one['annex']}: {one['code']} {one['term']}",
             f"Release {one['release']}; {one['closeness']} to “{one['because']}”. {one['condition']}")
            for one in told["suggestions"]["terms"]
        ])  # fmt: skip
    yield Spacer(1, 6)
    yield _text(f"Made {told['rendered']}. Fields: {told['fields']['standing']}.")


def _where(told: dict[str, Any]) -> list[str]:
    where = told.get("submitTo")
    if not where:
        return []
    contact = f": {where['contact']}" if where["contact"] else ""
    return [f"Where to submit it: {where['name']}{contact}", where["why"]]


def _text(text: str, style: str = "body") -> Any:
    from reportlab.platypus import Paragraph

    return Paragraph(escape(text).replace("\n", "<br/>"), _styles()[style])


def _box(lines: list[str]) -> Any:
    from reportlab.platypus import Table

    cells = [[_text(line, "word" if at == 0 else "body")] for at, line in enumerate(lines) if line]
    return Table(cells, colWidths=["100%"], style=[("BOX", (0, 0), (-1, -1), 1.5, "black")])


def _table(rows: list[tuple[str, str]]) -> Any:
    from reportlab.platypus import LongTable

    cells = [[_text(label), _text(text)] for label, text in rows]
    lines = [("LINEBELOW", (0, 0), (-1, -1), 0.4, _GREY), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return LongTable(cells, colWidths=["36%", "64%"], style=lines, splitInRow=1)
