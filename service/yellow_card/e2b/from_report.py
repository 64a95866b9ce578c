"""A safety report about a medicine as a case of E2B(R3).

Deterministic: the moment and the batch's number are given. A device has no place in E2B, and nothing is sent
without the receiver's dictionary: an event that the organisation's own table does not code stops the message,
and no other code ever takes that place. Source: ICH E2B(R3); MHRA (XI for Northern Ireland).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from service.domain.errors import Unprocessable
from service.domain.issues import error
from service.domain.safety_report import Branch
from service.yellow_card.e2b.batch import Batch
from service.yellow_card.e2b.fragments import (
    drug,
    fhir_date,
    fitted,
    given,
    person,
)
from service.yellow_card.e2b.values import Content, Null, write_moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.domain.issues import Issue
    from service.domain.safety_report import ReportedEvent, Reporter, SafetyReport
    from service.domain.site import Site
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.terms import Terms

_CRITERIA = tuple(f"E.i.3.2{letter}" for letter in "abcdef")
_BAND = re.compile(r"(\d{1,2})0-\d{1,2}9", re.ASCII)
_ENGLISH = "eng"


@dataclass(frozen=True, slots=True)
class Making:
    """What every case of a batch is made with: the site, its terms, the table, and the present moment."""

    site: Site
    terms: Terms | None
    guide: Guide
    created: datetime


def make_batch(reports: Sequence[SafetyReport], making: Making, number: str) -> Batch:
    """The reports as one batch with this number (N.1.2).

    Raises Unprocessable where one of them cannot be a case, with all the reasons.
    """
    issues = [issue for report in reports for issue in obstacles(report, making)]
    if issues:
        raise Unprocessable("E2B(R3) cannot be made: " + issues[0].message, issues=issues)
    e2b = making.site.e2b
    header: Content = {
        "N.1.1": "1",
        "N.1.2": number,
        "N.1.3": e2b.sender,
        "N.1.4": e2b.receiver,
        "N.1.5": write_moment(making.created),
    }
    return Batch(header, tuple(_case(report, making) for report in reports))


def unsent(report: SafetyReport) -> str:
    """Why reports of this branch are never sent as E2B; empty for those about medicines."""
    if report.branch is Branch.MEDICINE:
        return ""
    if report.branch is Branch.DEVICE:
        return "E2B cannot carry a device; use the report for a person to submit"
    return "only a report about a suspected reaction to a medicine is sent as E2B"


def obstacles(report: SafetyReport, making: Making) -> list[Issue]:
    """Why a report cannot be a case at all; empty where it can. The rules say the rest."""
    if said := unsent(report):
        return [error("not-supported", said, "branch", "branch")]
    found: list[Issue] = []
    e2b = making.site.e2b
    for name, number in (("sender", "N.1.3"), ("receiver", "N.1.4"), ("organisation", "C.1.1")):
        if not getattr(e2b, name):
            said = (
                f"{number} is not configured: set e2b.{name} in the site file, as agreed with the recipient"
            )
            found.append(error("required", said, f"e2b.{name}", number))
    if not _events(report):
        said = "no event took place: E2B carries reactions, and a near miss is none; let a person submit it"
        found.append(error("business-rule", said, "events", "E.i"))
    return found + [_uncoded(event) for event in uncoded(report, making.terms)]


def uncoded(report: SafetyReport, terms: Terms | None) -> tuple[ReportedEvent, ...]:
    """The events that have no code in the organisation's table, without which nothing is sent."""
    return tuple(event for event in _events(report) if terms is None or terms.of(event) is None)


def worldwide_id(report: SafetyReport, site: Site, guide: Guide) -> str:
    """C.1.1 and C.1.8.1: country, organisation the case's id; or the number that the report has."""
    if report.number is not None:
        return report.number
    organisation = "".join(site.e2b.organisation.replace("-", "").split())
    return f"{_country(site.nation, guide)}-{organisation}-{report.case}"


def _linked_ids(report: SafetyReport, number: str) -> list[str]:
    """C.1.10.r: the linked cases, called as this one is: none of them is sent as E2B under another name."""
    return [number.removesuffix(report.case) + other for other in report.linked]


def _case(report: SafetyReport, making: Making) -> Content:
    site, guide = making.site, making.guide
    identifier = worldwide_id(report, site, guide)
    created = write_moment(making.created)
    received = fhir_date(report.received or report.updated or making.created.date().isoformat())[:8]
    case: Content = {
        "N.2.r.1": identifier,
        "N.2.r.2": site.e2b.sender,
        "N.2.r.3": site.e2b.receiver,
        "N.2.r.4": created,
        "C.1.1": identifier,
        "C.1.2": created,
        "C.1.3": "1",
        "C.1.4": received,
        "C.1.5": fhir_date(report.updated)[:8] if report.updated else received,
        "C.1.6.1": False,
        "C.1.7": any(event.seriousness is None or event.seriousness for event in _events(report)),
        "C.1.8.1": identifier,
        "C.1.8.2": "2",
        "C.1.9.1": True if report.yellow_card else Null("NI"),
        "C.2.r": [_source(_reporter(report, site), site, guide)],
        "C.3.1": "3",
        "C.3.2": fitted(site.organisation, guide, "C.3.2"),
        "D.7.2": Null("UNK"),
        **_patient(report, site, guide),
        "E.i": [_reaction(event, making) for event in _events(report)],
        "G.k": [drug(medicine, making.terms, guide) for medicine in report.medicines],
        "H.1": _narrative(report),
        "H.2": fitted(_comments(report), guide, "H.2"),
    }
    if report.yellow_card:
        case["C.1.9.1.r"] = [{"C.1.9.1.r.1": "MHRA", "C.1.9.1.r.2": report.yellow_card}]
    if report.linked:
        case["C.1.10.r"] = _linked_ids(report, identifier)
    if report.amendment:
        case["C.1.11.1"] = guide.report["amendment"].get(report.amendment, report.amendment)
        case |= given({"C.1.11.2": report.amendment_reason})
    return given(case)


def _events(report: SafetyReport) -> tuple[ReportedEvent, ...]:
    return tuple(event for event in report.events if event.actuality == "actual")


def _narrative(report: SafetyReport) -> str:
    """The reporter's words, and what was done for the patient, which has no element of its own."""
    treated = [
        f"Treatment of {_called(event)}: {event.treatment}" for event in report.events if event.treatment
    ]
    return "\n".join((*([report.narrative] if report.narrative.strip() else []), *treated))


def _comments(report: SafetyReport) -> str:
    """Why the reporter suspects what is suspected."""
    said = [
        f"What is suspected of {_called(event)}: {event.suspect_reason}"
        for event in report.events
        if event.suspect_reason
    ]
    return "\n".join(said)


def _called(event: ReportedEvent) -> str:
    return event.text or event.term.display or event.term.code


def _uncoded(event: ReportedEvent) -> Issue:
    verbatim = _called(event)
    said = f"MedDRA coding needed: '{verbatim}' has no code in the site's table of terms"
    return error("incomplete", said, f"events.where(reference='{event.reference}')", "E.i.2.1b")


def _country(nation: str | None, guide: Guide) -> str:
    countries = guide.report["country"]
    return countries.get(nation or "", countries[""])


def _reporter(report: SafetyReport, site: Site) -> Reporter:
    """The report's own, with what the site says where it is silent."""
    own = report.reporter
    missing = {
        name: getattr(site.reporter, name) for name in type(own).__slots__ if getattr(own, name) is None
    }
    return replace(own, **missing)


def _source(reporter: Reporter, site: Site, guide: Guide) -> Content:
    country = _country(site.nation, guide)
    if reporter.country and not (reporter.country == "GB" and country != "GB"):
        country = reporter.country
    profession = guide.report["profession"].get(reporter.profession or "")
    return given(
        {
            **person(reporter.name, guide),
            "C.2.r.2.1": fitted(reporter.organisation or site.organisation, guide, "C.2.r.2.1"),
            "C.2.r.2.2": fitted(reporter.department, guide, "C.2.r.2.2"),
            "C.2.r.2.3": fitted(reporter.address, guide, "C.2.r.2.3"),
            "C.2.r.2.4": fitted(reporter.city, guide, "C.2.r.2.4"),
            "C.2.r.2.6": fitted(reporter.postcode, guide, "C.2.r.2.6"),
            "C.2.r.2.7": fitted(reporter.telephone, guide, "C.2.r.2.7"),
            "C.2.r.3": country,
            "C.2.r.4": profession if profession is not None else Null("UNK"),
            "C.2.r.5": "1",
        }
    )


def _patient(report: SafetyReport, site: Site, guide: Guide) -> Content:
    """Never more than initials, and those only where the site says so; the number is the generated one."""
    subject = report.subject
    content: Content = {
        "D.1": subject.initials if site.initials and subject.initials else Null("MSK"),
        "D.1.1.3": fitted(subject.local_reference, guide, "D.1.1.3"),
        "D.3": subject.weight.quantize(Decimal("0.1"), ROUND_HALF_UP) if subject.weight is not None else None,
        "D.5": guide.report["sex"].get(subject.sex, Null("UNK")) if subject.sex else None,
    }
    decade = _BAND.fullmatch(subject.age_band) if subject.age_band and site.age == "band" else None
    if decade is not None:
        # Someone in their sixties is in the seventh decade.
        content |= {"D.2.2a": Decimal(int(decade[1]) + 1), "D.2.2b": "{decade}"}
    elif subject.age is not None and site.age == "exact":
        content |= {"D.2.2a": subject.age, "D.2.2b": subject.age_unit}
    return content


def _reaction(event: ReportedEvent, making: Making) -> Content:
    guide, terms = making.guide, making.terms
    serious = {guide.report["seriousness"].get(word) for word in event.seriousness or ()}
    return given(
        {
            "E.i.1.1a": fitted(event.text or event.term.display, guide, "E.i.1.1a"),
            "E.i.1.1b": _ENGLISH if event.text or event.term.display else None,
            "E.i.2.1a": terms.version if terms is not None else None,
            "E.i.2.1b": terms.of(event) if terms is not None else None,
            **{number: True if number in serious else Null("NI") for number in _CRITERIA},
            "E.i.4": fhir_date(event.onset) if event.onset else None,
            "E.i.5": fhir_date(event.end) if event.end else None,
            "E.i.7": guide.report["outcome"].get(event.outcome or "unknown", "0"),
            "E.i.9": _country(making.site.nation, guide),
        }
    )
