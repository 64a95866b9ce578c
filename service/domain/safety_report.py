"""A safety report: one case about one suspected branch, neutral to how it leaves the house.

No name, birth date, address or NHS number of a patient has a place here: what is not in these shapes cannot
be sent. Dates are FHIR text (``2026``, ``2026-07``, ``2026-07-10`` or with time and offset).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from service.domain.evaluation import Code


class Branch(StrEnum):
    """Where a report belongs. ``LOCAL`` is for local incident reporting; ``UNKNOWN`` is asked for."""

    DEVICE = "device"
    MEDICINE = "medicine"
    DEFECTIVE_MEDICINE = "defective-medicine"
    LOCAL = "local"
    UNKNOWN = "unknown"


class State(StrEnum):
    """How far a report has come. ``PREPARED``: made for a person to submit, and not submitted.

    ``SUBMITTED``: given to the gateway's outbox, or a person entered that it was submitted. ``ACKNOWLEDGED``
    needs an acknowledgement or the reference number that a person entered. ``FOLLOW_UP``: something has
    changed since, and another version is due.
    """

    DRAFT = "draft"
    READY = "ready"
    PREPARED = "prepared"
    SUBMITTED = "submitted"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    FOLLOW_UP = "follow-up"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Subject:
    """The patient, as far as may be told: ``sex`` is FHIR's administrative gender, ``weight`` in kg.

    ``age`` is in ``age_unit`` (UCUM ``a``, ``mo``, ``wk`` or ``d``) at the event; ``age_band`` (``60-69``)
    stands in its place where the site says so. ``local_reference`` is generated and means something only in
    the site's own table.
    """

    age: Decimal | None = None
    age_unit: str = "a"
    age_band: str | None = None
    sex: str | None = None
    weight: Decimal | None = None
    local_reference: str | None = None
    initials: str | None = None


@dataclass(frozen=True, slots=True)
class Reporter:
    """Whoever reports. ``profession``: physician, pharmacist, other-health-professional, lawyer, consumer.

    ``country`` is a two-letter ISO code. ``ods`` is the organisation's ODS code.
    """

    name: str | None = None
    profession: str | None = None
    organisation: str | None = None
    ods: str | None = None
    department: str | None = None
    address: str | None = None
    city: str | None = None
    postcode: str | None = None
    country: str | None = None
    telephone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """One adverse event. ``seriousness`` None is unknown; an empty tuple is: none of the criteria.

    Codes of ``seriousness`` (``death``, ``life-threatening`` …), ``outcome`` and ``severity`` are the form's.
    ``coded`` is the receiver's dictionary term (MedDRA) where the house has a table of its own, with
    ``coded_version``.
    """

    reference: str
    term: Code
    text: str
    paragraph: str | None = None
    actuality: str = "actual"
    onset: str | None = None
    end: str | None = None
    recognised: str | None = None
    seriousness: tuple[str, ...] | None = None
    severity: str | None = None
    outcome: str | None = None
    symptomatic: bool | None = None
    leak_site: Code | None = None
    suspects: tuple[str, ...] = ()
    suspect_reason: str | None = None
    treatment: str | None = None
    coded: Code | None = None
    coded_version: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedDevice:
    """One device. ``kind`` is what the form says is suspected, as its code."""

    kind: str | None = None
    product: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    lot: str | None = None
    serial: str | None = None
    udi: str | None = None
    udi_di: str | None = None
    expiry: str | None = None
    location: str | None = None
    fault: bool | None = None
    antibiotic: bool | None = None
    volume: Decimal | None = None
    site: Code | None = None


@dataclass(frozen=True, slots=True)
class ReportedMedicine:
    """One medicine. ``role``: suspect, concomitant, interacting or not-administered.

    ``action``: withdrawn, reduced, increased, not-changed, unknown or not-applicable.
    """

    name: str | None = None
    role: str = "suspect"
    dose: str | None = None
    route: str | None = None
    batch: str | None = None
    start: str | None = None
    end: str | None = None
    indication: str | None = None
    manufacturer: str | None = None
    action: str | None = None
    defective: bool | None = None


@dataclass(frozen=True, slots=True)
class ReportedProcedure:
    """The procedure that the event belongs to."""

    reference: str | None = None
    date: str | None = None
    text: str | None = None
    sites: tuple[Code, ...] = ()
    guidance: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a report: who made it (a role and name of staff, never a patient), when, and what."""

    who: str
    when: str
    what: str
    state: State
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision on the branch against the rules, with the reason.

    ``instead_of`` is the branch that the rules gave; None where an offered report was taken up.
    """

    branch: Branch
    who: str
    when: str
    reason: str
    instead_of: Branch | None = None


@dataclass(frozen=True, slots=True)
class SafetyReport:
    """One case. ``case`` is its id for ever; ``version`` counts what was sent of it, from 1.

    ``number`` is what messages call the case (ICH C.1.1), from the first that was prepared on; it stays,
    whatever the site's file says later.
    ``decided_by`` is the sentence that says why it has this branch. ``linked`` are the cases about the same
    event for another suspect. ``form`` leads to the form. ``received`` is when the house first knew,
    ``updated`` when it last learned something (both FHIR instants or dates). ``amendment`` is ``None``,
    ``amendment`` or ``nullification`` (ICH C.1.11.1), with its reason. ``yellow_card`` is the reference that
    MHRA gave. ``nation`` is that of the reporting organisation: ``england``, ``wales``, ``scotland``
    or ``northern-ireland``. ``offered`` are branches that the rules do not ask for, but a person may take up.
    ``changes`` stay in the house: no rendering shows them.
    """

    case: str
    version: int
    branch: Branch
    state: State
    decided_by: str
    events: tuple[ReportedEvent, ...]
    subject: Subject
    reporter: Reporter
    procedure: ReportedProcedure | None = None
    devices: tuple[ReportedDevice, ...] = ()
    medicines: tuple[ReportedMedicine, ...] = ()
    narrative: str = ""
    form: str | None = None
    nation: str | None = None
    received: str | None = None
    updated: str | None = None
    linked: tuple[str, ...] = ()
    amendment: str | None = None
    amendment_reason: str | None = None
    yellow_card: str | None = None
    number: str | None = None
    override: Override | None = None
    offered: tuple[Branch, ...] = ()
    changes: tuple[Change, ...] = field(default=())
