"""What in a case may identify the patient and nobody has dealt with yet."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from service.yellow_card.deidentification import find_hits, identifiers_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.operations.report.cases import Case
    from service.yellow_card.deidentification import Hit

Resource = dict[str, Any]


def open_hits(case: Case, patient: Resource) -> tuple[Hit, ...]:
    """The hits that nobody has dealt with: the text neither edited nor said to identify nobody.

    A person's word holds for what was found in the text then. What is found in it later, because more is
    known of the patient by now, is asked about anew.
    """
    texts = texts_of(case.report)
    dealt = {(one.path, one.digest) for one in case.cleared}
    found: dict[str, list[Hit]] = {}
    for one in find_hits(case.report, identifiers_of(patient, case.subject)):
        found.setdefault(one.path, []).append(one)
    return tuple(
        one for path, hits in found.items() if (path, digest(texts[path], hits)) not in dealt for one in hits
    )


def word_on(case: Case, patient: Resource, path: str) -> str | None:
    """What stands for the text at the path and what is found in it now; None where there is no text."""
    text = texts_of(case.report).get(path)
    hits = find_hits(case.report, identifiers_of(patient, case.subject))
    return None if text is None else digest(text, [one for one in hits if one.path == path])


def digest(text: str, hits: Iterable[Hit]) -> str:
    """The SHA-256 of a text and of the places found in it: what was looked at, without keeping it twice."""
    places = ";".join(f"{one.kind} {one.start} {one.end}" for one in hits)
    return hashlib.sha256(f"{places}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()
