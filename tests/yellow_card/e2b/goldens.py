"""Whole messages by name, beside the reports they are made of: ``python -m tests.yellow_card.e2b.goldens``.

It writes the messages anew and says which changed. Read every change.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from service.domain.evaluation import Code
from service.domain.safety_report import (
    Branch,
    ReportedEvent,
    ReportedMedicine,
    Reporter,
    SafetyReport,
    State,
    Subject,
)
from service.domain.site import E2b, Site
from service.yellow_card.e2b.rendering import Tools, render
from service.yellow_card.e2b.terms import Terms
from tests.yellow_card.e2b.material import RELEASE, guide

FOLDER = Path(__file__).parent / "golden"
NOW = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)
TERMS = Terms(RELEASE, {"sedation-reaction": "99999999", "anaphylaxis": "99999998", "sedation": "99999997"})
SITE = Site(
    organisation="Example Hospital NHS Trust",
    ods="RX999",
    nation="england",
    reporter=Reporter(telephone="020 7946 0000", city="Exampleton", country="GB"),
    e2b=E2b(sender="EXAMPLETRUST", receiver="RECEIVER", organisation="EXAMPLE-TRUST"),
)
_CODES = "https://htg117.example/fhir/CodeSystem/htg117-event-terms"


def tools(terms: Terms | None = TERMS) -> Tools:
    """What messages are made with."""
    return Tools(guide(), lambda: NOW, terms)


def event(code: str = "sedation-reaction", **values: object) -> ReportedEvent:
    """One reaction."""
    one = ReportedEvent(
        f"AdverseEvent/{code}",
        Code(_CODES, code, code.replace("-", " ").capitalize()),
        "Slow breathing after the injection & low oxygen",
        onset="2026-07-20T10:15:00+01:00",
        seriousness=("life-threatening", "intervention-required"),
        outcome="resolved",
        suspects=("medicine",),
    )
    return replace(one, **values)  # type: ignore[arg-type]


def report(**values: object) -> SafetyReport:
    """A report about a medicine."""
    one = SafetyReport(
        case="7f3c2b1a-0000-4000-8000-000000000001",
        version=1,
        branch=Branch.MEDICINE,
        state=State.READY,
        decided_by="A medicine is suspected.",
        events=(event(),),
        subject=Subject(age=Decimal(71), sex="female", weight=Decimal("62.45"), initials="AB"),
        reporter=Reporter(
            name="Dr Ann Mary Example",
            profession="physician",
            organisation="Example Hospital NHS Trust",
            department="Radiology",
            postcode="EX1 1EX",
        ),
        medicines=(
            ReportedMedicine(
                name="Examplazolam 5 mg/5 mL",
                dose="2 mg slowly",
                route="intravenous",
                batch="LOT-1",
                start="2026-07-20T10:05:00+01:00",
                end="2026-07-20",
                indication="sedation",
                manufacturer="Example Pharma",
                action="withdrawn",
            ),
            ReportedMedicine(name="Examplicillin", role="concomitant"),
        ),
        narrative="A patient had slow breathing <after> the injection; it was reversed.",
        nation="england",
        received="2026-07-21",
        updated="2026-07-22T08:00:00Z",
    )
    return replace(one, **values)  # type: ignore[arg-type]


NORTH = replace(SITE, nation="northern-ireland", age="band", initials=True)
GOLDENS: dict[str, tuple[tuple[SafetyReport, ...], Site]] = {
    "first": ((report(),), SITE),
    "follow-up": (
        (
            report(
                version=2,
                state=State.FOLLOW_UP,
                updated="2026-07-30",
                linked=("7f3c2b1a-0000-4000-8000-000000000002",),
                yellow_card="YC-2026-0001",
                amendment="amendment",
                amendment_reason="The outcome is known now.",
                events=(event(end="2026-07-20T11:00:00+01:00", outcome="resolvedWithSequelae"),),
            ),
        ),
        SITE,
    ),
    "nullification": (
        (report(version=3, amendment="nullification", amendment_reason="Reported twice."),),
        SITE,
    ),
    "northern-ireland": (
        (report(subject=Subject(age_band="60-69", sex="unknown", initials="AB"), reporter=Reporter()),),
        NORTH,
    ),
    "batch-of-two": (
        (
            report(),
            report(
                case="7f3c2b1a-0000-4000-8000-000000000003",
                events=(
                    event("anaphylaxis", seriousness=("death", "hospitalisation"), outcome="fatal"),
                    event(seriousness=(), outcome=None, onset="2026-07"),
                ),
            ),
        ),
        SITE,
    ),
}


def message(name: str) -> bytes:
    """The message of that name, made now."""
    reports, site = GOLDENS[name]
    return render(reports, site, tools(), f"GOLDEN-{name}").body


def main() -> None:
    """Writes the messages."""
    for name in GOLDENS:
        path, body = FOLDER / f"{name}.xml", message(name)
        if not path.exists() or path.read_bytes() != body:
            path.write_bytes(body)
            print(f"{path.name} changed: read it")  # noqa: T201


if __name__ == "__main__":
    main()
