"""``acknowledge``: an acknowledgement that was handed over, kept on the reports that it answers."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from service.domain.errors import Unprocessable
from service.operations.report import cases
from service.operations.report.answering import accepting
from service.yellow_card.e2b.acknowledgement import read_acknowledgement
from service.yellow_card.e2b.elements import read_guide
from service.yellow_card.e2b.rendering import TABLE

if TYPE_CHECKING:
    from service.operations.report.cases import Case
    from service.operations.report.desk import Desk

_CASE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def take(desk: Desk, body: bytes) -> tuple[Case, ...]:
    """The cases that the acknowledgement speaks of, each as it stands once its answer is kept on it.

    The same acknowledgement again changes nothing. Malformed or TooLarge where the bytes are none;
    Unprocessable where it speaks of what was not sent from here, though what was is taken all the same.
    """
    data = desk.content.data.get(TABLE)
    if data is None:
        raise Unprocessable(f"the published content has no {TABLE}, by which acknowledgements are read")
    guide = read_guide(data)
    answered = read_acknowledgement(body, guide)
    accepting(desk, guide)(f"answer-{hashlib.sha256(body).hexdigest()[:16]}.xml", body)
    named = " ".join((answered.batch, *(one.message for one in answered.cases))).lower()
    found = (cases.find(desk.records, id_) for id_ in dict.fromkeys(_CASE.findall(named)))
    return tuple(one for one in found if one is not None)
