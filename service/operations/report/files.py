"""Files of reports read back, and reports as a table for a local incident system."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from service.domain.errors import Conflict, NotFound, Unprocessable
from service.fhir.json_text import decode
from service.operations.report.looking import FORM
from service.operations.searching.values import reference_parts
from service.yellow_card.csv_export import write
from service.yellow_card.fields import read_form, read_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.domain.safety_report import SafetyReport
    from service.operations.ports import Content, Records
    from service.operations.report.cases import Export


def read_file(records: Records, export: Export) -> bytes:
    """The bytes of a file that was made and kept. Conflict where they are not those that were made."""
    found = records.read(*reference_parts(export.binary))
    if found is None or found.deleted:
        raise NotFound(f"the file {export.file_name} is not held here any more")
    body = base64.b64decode(decode(found.body).resource.get("data", ""))
    if hashlib.sha256(body).hexdigest() != export.digest:
        raise Conflict(f"the file {export.file_name} is not what was made: its SHA-256 differs")
    return body


def tabulate(content: Content, reports: Iterable[SafetyReport]) -> bytes:
    """The reports as CSV, a row an event. Unprocessable where the content has no table of fields."""
    data = content.data.get(FORM)
    if data is None:
        raise Unprocessable(
            f"the published content has no {FORM}, which says what a report's fields are called"
        )
    words = read_words([one.resource for one in content.of_type("Questionnaire")], read_form(data))
    return write(reports, words)
