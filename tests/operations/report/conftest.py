"""A desk over an empty SQLite file, with forms of synthetic patients submitted to it."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service.adapters import records
from service.adapters.content import load
from service.domain.safety_report import Reporter
from service.domain.site import Site
from service.fhir.json_text import Document, encode
from service.operations.act import Actor
from service.operations.assess import Plans
from service.operations.report.desk import Desk
from service.operations.submit import Sent, submit
from service.operations.terms import Terms
from service.yellow_card.filling import find_fields
from tests.cases import Case, response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from service.operations.ports import Records, Version
    from service.operations.submit import Reporting

CONTENT = load()
TERMS = Terms(CONTENT.terminology)
FIELDS = find_fields(CONTENT.data, CONTENT.resolve)
ACT = Actor(CONTENT, Plans(CONTENT), TERMS)
SUBJECT = {"reference": "https://ehr.example.org/fhir/Patient/9990000018"}
SITE = Site(
    organisation="Example Trust",
    ods="RXX00",
    nation="england",
    reporter=Reporter(profession="physician", telephone="020 7946 0000", country="GB"),
)
FOLLOW_UP = {"follow-up.date": "2026-07-13", "follow-up.status": "seen"}
PROCEDURE = {
    "procedure.date": "2026-07-01",
    "site": [
        {
            "site.location": "femur",
            "cement.product": "Example cement",
            "cement.manufacturer": "Example maker",
            "cement.lot": "L-1",
            "cement.volume": "3.5 mL",
        }
    ],
}


@dataclass
class House:
    """A desk, and how forms get to it. The clock stands until it is moved."""

    records: Records
    now: datetime = datetime(2026, 7, 14, 9, 0, tzinfo=UTC)
    site: Site = SITE
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """The desk as it stands."""
        made = Desk(
            self.records,
            CONTENT,
            TERMS,
            lambda: self.now,
            lambda: str(uuid.UUID(int=next(self.numbers))),
            FIELDS,
            site=self.site,
        )
        return replace(made, **self.more)

    def later(self, **by: float) -> None:
        """Moves the clock."""
        self.now += timedelta(**by)

    def submit(
        self,
        answers: Mapping[str, Any],
        form: str = "htg117-follow-up",
        *,
        name: str = "f-1",
        reporting: Reporting | None = None,
        **more: Any,
    ) -> tuple[Version, ...]:
        """What is stored for a form with these answers."""
        published = CONTENT.read("Questionnaire", form)
        assert published is not None
        base = PROCEDURE if form == "htg117-procedure" else FOLLOW_UP
        authored = "2026-07-02T08:00:00+01:00" if form == "htg117-procedure" else "2026-07-13T11:00:00+01:00"
        case = Case("", "", "", form, authored, {**base, **answers}, {})
        filled = response(case, published.resource) | {
            "identifier": {"system": "https://ehr.example.org/forms", "value": name},
            "subject": SUBJECT,
            "author": {"display": "Dr Ada Example"},
        }
        filled |= more
        body = encode(filled)
        sent = Sent(Document(filled, body.decode()), filled, body)
        return submit(sent, self.records, CONTENT, ACT, now=self.now, reporting=reporting).versions

    def event(self, answers: Mapping[str, Any], **more: Any) -> str:
        """The id of the one event that a follow-up form with this event comes to."""
        stored = self.submit({"event": [answers]}, **more)
        [found] = [one.id for one in stored if one.type == "AdverseEvent"]
        return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty house."""
    store = records.connect(f"sqlite:///{tmp_path}/records.sqlite3")
    yield House(store)
    store.close()
