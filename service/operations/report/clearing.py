"""What in a case may identify the patient and nobody has dealt with yet."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from service.yellow_card.deidentification import find_hits, identifiers_of, texts_of

if TYPE_CHECKING:
    from service.operations.report.cases import Case
    from service.yellow_card.deidentification import Hit

Resource = dict[str, Any]


def open_hits(case: Case, patient: Resource) -> tuple[Hit, ...]:
    """The hits that nobody has dealt with: the text neither edited nor said to identify nobody."""
    texts = texts_of(case.report)
    dealt = {(one.path, one.digest) for one in case.cleared}
    known = identifiers_of(patient, case.subject)
    return tuple(
        one for one in find_hits(case.report, known) if (one.path, digest(texts[one.path])) not in dealt
    )


def digest(text: str) -> str:
    """The SHA-256 of a text: what was looked at, without keeping it twice."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
