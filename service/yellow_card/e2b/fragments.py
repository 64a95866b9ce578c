"""Small parts of a case made from a report's: dates, names, texts cut to length, drugs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.domain.safety_report import ReportedMedicine
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.terms import Terms
    from service.yellow_card.e2b.values import Content

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_TITLES = frozenset({"dr", "mr", "mrs", "ms", "miss", "mx", "prof", "professor", "sir", "dame", "sister"})


def fhir_date(text: str) -> str:
    """A FHIR date or instant in HL7 v3's form, as precise as it is; one that is no date stays as it is."""
    found = _DATE.fullmatch(text)
    if found is None:
        return text
    *parts, offset = found.groups()
    zone = "" if offset is None else "+0000" if offset == "Z" else offset.replace(":", "")
    return "".join(part for part in parts if part) + zone


def given(content: Content) -> Content:
    """The elements that something is said of."""
    return {number: value for number, value in content.items() if value not in (None, "", [])}


def fitted(text: str | None, guide: Guide, number: str) -> str | None:
    """A text within the element's length; one that is cut ends with three points."""
    if text is None or not text.strip():
        return None
    length = guide.elements[number].length
    return text if length is None or len(text) <= length else f"{text[: length - 3]}..."


def person(name: str | None, guide: Guide) -> Content:
    """A reporter's name in its parts: a title in front, the last word as family name."""
    words = (name or "").split()
    if not words:
        return {}
    title = words.pop(0) if len(words) > 1 and words[0].rstrip(".").casefold() in _TITLES else None
    return {
        "C.2.r.1.1": fitted(title, guide, "C.2.r.1.1"),
        "C.2.r.1.2": fitted(" ".join(words[:-1]), guide, "C.2.r.1.2"),
        "C.2.r.1.4": fitted(words[-1], guide, "C.2.r.1.4"),
    }


def drug(medicine: ReportedMedicine, terms: Terms | None, guide: Guide) -> Content:
    """One medicine as a drug (G.k)."""
    words = guide.report
    dosage = given(
        {
            "G.k.4.r.4": fhir_date(medicine.start) if medicine.start else None,
            "G.k.4.r.5": fhir_date(medicine.end) if medicine.end else None,
            "G.k.4.r.7": fitted(medicine.batch, guide, "G.k.4.r.7"),
            "G.k.4.r.8": fitted(medicine.dose, guide, "G.k.4.r.8"),
            "G.k.4.r.10.1": fitted(medicine.route, guide, "G.k.4.r.10.1"),
        }
    )
    return given(
        {
            "G.k.1": words["role"].get(medicine.role, medicine.role),
            "G.k.2.2": fitted(medicine.name, guide, "G.k.2.2"),
            "G.k.3.3": fitted(medicine.manufacturer, guide, "G.k.3.3"),
            "G.k.4.r": [dosage] if dosage else [],
            "G.k.7.r": [_indication(medicine.indication, terms, guide)] if medicine.indication else [],
            "G.k.8": words["action"].get(medicine.action, medicine.action) if medicine.action else None,
        }
    )


def _indication(text: str, terms: Terms | None, guide: Guide) -> Content:
    code = terms.find(text) if terms is not None else None
    return given(
        {
            "G.k.7.r.1": fitted(text, guide, "G.k.7.r.1"),
            "G.k.7.r.2a": terms.version if terms is not None and code is not None else None,
            "G.k.7.r.2b": code,
        }
    )
