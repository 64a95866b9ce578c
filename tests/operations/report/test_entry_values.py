"""What may be entered where a report holds a code, a date or a number: nothing that could name anybody."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.errors import Refused
from service.operations.report import cases
from service.operations.report.drafting import draft
from service.operations.report.edits import enter

if TYPE_CHECKING:
    from tests.operations.report.conftest import House

WHO = "Ada Example"
LEAK = {"event.term": "cement-leak", "event.suspect": ["cement"], "event.severity": "mild"}
BAD: list[tuple[str, Any]] = [
    ("events.0.onset", "Zebedee Testcase"),
    ("events.0.onset", "2026-02-30"),
    ("events.0.end", "9990000018"),
    ("events.0.recognised", "yesterday"),
    ("events.0.seriousness", ["Zebedee Testcase"]),
    ("events.0.seriousness", ["none", "death"]),
    ("events.0.severity", "Zebedee"),
    ("events.0.outcome", "Testcase"),
    ("procedure.date", "Zebedee"),
    ("devices.0.kind", "Zebedee"),
    ("devices.0.location", "at Zebedee's"),
    ("devices.0.expiry", "soon"),
    ("devices.0.volume", Decimal(-1)),
    ("devices.00.lot", "L"),
    ("medicines.0.start", "then"),
    ("medicines.0.role", "Zebedee"),
    ("medicines.0.action", "Zebedee"),
    ("subject.age", Decimal(-5)),
    ("subject.age", Decimal("1E+30")),
    ("subject.weight", Decimal("1E+30")),
    ("subject.age_unit", "Zebedee"),
    ("subject.age_band", "Zebedee"),
    ("subject.sex", "Zebedee"),
    ("reporter.profession", "Zebedee"),
    ("reporter.country", "Zebedee"),
]
GOOD: list[tuple[str, Any, Any]] = [
    ("events.0.onset", "2026-07-02T10:00:00+01:00", "2026-07-02T10:00:00+01:00"),
    ("events.0.end", "2026-07", "2026-07"),
    ("events.0.seriousness", ["death", "hospitalisation"], ("death", "hospitalisation")),
    ("events.0.seriousness", ["none"], ()),
    ("events.0.seriousness", None, None),
    ("events.0.outcome", "resolvedWithSequelae", "resolvedWithSequelae"),
    ("devices.0.location", "in-the-patient", "in-the-patient"),
    ("devices.0.kind", "trocar-or-needle", "trocar-or-needle"),
    ("subject.age", Decimal(70), Decimal(70)),
    ("subject.age_band", "90+", "90+"),
    ("subject.sex", "female", "female"),
    ("reporter.country", "GB", "GB"),
    ("reporter.profession", "pharmacist", "pharmacist"),
    ("procedure.guidance", "Fluoroscopy", "Fluoroscopy"),
]


def one(house: House) -> str:
    house.submit({}, "htg117-procedure", name="p-1")
    [case] = draft(house.desk, house.event(LEAK), WHO).cases
    return case.id


@pytest.mark.parametrize(("path", "value"), BAD)
def test_a_value_that_cannot_stand_at_its_place_is_refused(house: House, path: str, value: Any) -> None:
    case = one(house)
    before = cases.read(house.records, case)
    with pytest.raises(Refused) as caught:
        enter(house.desk, case, {path: value}, WHO)
    assert caught.value.issues[0].expression == path
    assert cases.read(house.records, case) == before


@pytest.mark.parametrize(("path", "value", "kept"), GOOD)
def test_a_value_that_can_stand_there_is_taken(house: House, path: str, value: Any, kept: Any) -> None:
    case = one(house)
    found: Any = enter(house.desk, case, {path: value}, WHO).case.report
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    assert found == kept
