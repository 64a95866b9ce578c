"""Reports to render, made by hand and synthetic, and what renderings rest on, from the published content."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from service.adapters import content
from service.domain.evaluation import Code
from service.domain.safety_report import (
    Branch,
    ReportedDevice,
    ReportedEvent,
    ReportedMedicine,
    ReportedProcedure,
    Reporter,
    SafetyReport,
    State,
    Subject,
)
from service.domain.site import Site
from service.yellow_card.fields import read_form, read_words
from service.yellow_card.heading import Destination
from service.yellow_card.material import Material

if TYPE_CHECKING:
    from service.adapters.content import Folder

BASE = "https://htg117.example/fhir"
TERMS = f"{BASE}/CodeSystem/htg117-event-terms"
NOW = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)
SITE = Site("Example Hospital NHS Trust", "RX999", "england")
WHERE = Destination("Yellow Card", "https://yellowcard.mhra.gov.uk", "The organisation is in England.")


@functools.cache
def published() -> Folder:
    """The packaged content."""
    return content.load()


def material() -> Material:
    """What renderings rest on."""
    held = published()
    form = read_form(held.data["mappings/shared/device-report.json"])
    return Material(
        form,
        read_words([one.resource for one in held.of_type("Questionnaire")], form),
        tuple(one.resource for one in held.of_type("ConceptMap")),
        lambda _report, _site: WHERE,
        NOW,
        BASE,
        "HTG117",
    )


REPORTER = Reporter(
    "Dr A. Example",
    "physician",
    "Example Hospital NHS Trust",
    "RX999",
    "Interventional radiology",
    "1 Example Street",
    "Exampletown",
    "EX1 1EX",
    "GB",
    "01632 960001",
    "a.example@example.org",
)
LEAK = ReportedEvent(
    reference="AdverseEvent/1",
    term=Code(TERMS, "cement-leak", "Cement leak outside the bone"),
    text="Cement leak outside the bone",
    paragraph="2.4.1",
    onset="2026-07-06T15:10:00+01:00",
    recognised="2026-07-06",
    seriousness=("hospitalisation", "intervention-required"),
    severity="severe",
    outcome="ongoing",
    symptomatic=True,
    leak_site=Code(f"{BASE}/CodeSystem/htg117-leak-site", "intra-articular", "Into a joint"),
    suspects=("cement",),
    suspect_reason="Seen on fluoroscopy.",
    treatment="Injection halted; joint washed out.",
)
REACTION = ReportedEvent(
    reference="AdverseEvent/2",
    term=Code(TERMS, "anaphylaxis", "Anaphylaxis"),
    text="Anaphylaxis",
    onset="2026-07-06T15:20:00+01:00",
    seriousness=("life-threatening",),
    severity="severe",
    outcome="resolved",
    suspects=("medicine", "cement"),
    treatment="Adrenaline",
)
CEMENT = ReportedDevice(
    kind="cement",
    product="Example Cement LV",
    manufacturer="Example Devices Ltd",
    model="EC-20",
    lot="LOT-42",
    serial="SN-7",
    udi="(01)05000000000017(10)LOT-42",
    udi_di="05000000000017",
    expiry="2027-12-31",
    location="in-the-patient",
    fault=False,
    antibiotic=True,
    volume=Decimal("6.30"),
    site=Code(f"{BASE}/CodeSystem/htg117-bone-site", "acetabulum", "Acetabulum"),
)
ANTIBIOTIC = ReportedMedicine(
    name="Examplamycin", dose="1 g", route="intravenous", batch="B-9", start="2026-07-06", action="withdrawn",
    indication="Prophylaxis", manufacturer="Example Pharma Ltd", defective=False,
)  # fmt: skip
PROCEDURE = ReportedProcedure(
    "Procedure/1",
    "2026-07-06",
    "Percutaneous cementoplasty",
    (Code(f"{BASE}/CodeSystem/htg117-bone-site", "acetabulum", "Acetabulum"),),
    "fluoroscopy",
)


def device() -> SafetyReport:
    """A device report with everything told."""
    return SafetyReport(
        case="GB-RX999-0001",
        version=1,
        branch=Branch.DEVICE,
        state=State.PREPARED,
        decided_by="Bone cement is suspected: a device.",
        events=(LEAK,),
        subject=Subject(Decimal(71), "a", None, "female", Decimal("62.5"), "L-1", "AE"),
        reporter=REPORTER,
        procedure=PROCEDURE,
        devices=(CEMENT,),
        narrative="Cement left the bone towards the hip joint while it was injected.",
        form="QuestionnaireResponse/1",
        nation="england",
        received="2026-07-06T16:30:00+01:00",
        updated="2026-07-07T08:00:00+01:00",
    )


def medicine() -> SafetyReport:
    """A report of a medicine with an age band, and what was taken beside it."""
    return SafetyReport(
        case="GB-RX999-0002",
        version=2,
        branch=Branch.MEDICINE,
        state=State.READY,
        decided_by="A medicine is suspected.",
        events=(REACTION,),
        subject=Subject(None, "a", "60-69", "male", None, "L-2", "BE"),
        reporter=REPORTER,
        procedure=PROCEDURE,
        medicines=(ANTIBIOTIC, ReportedMedicine(name="Paracetamol", role="concomitant")),
        narrative="",
        nation="northern-ireland",
        received="2026-07-06",
        updated="2026-07-08",
        linked=("GB-RX999-0001",),
        amendment="amendment",
        amendment_reason="Batch number added",
        yellow_card="YC-2026-000123",
    )


def near_miss() -> SafetyReport:
    """A device report of what happened to nobody, with little told."""
    return SafetyReport(
        case="GB-RX999-0003",
        version=1,
        branch=Branch.DEVICE,
        state=State.DRAFT,
        decided_by="The device seemed faulty.",
        events=(
            ReportedEvent(
                "AdverseEvent/3",
                Code(TERMS, "device-fault", "Fault of a device"),
                "Fault of a device",
                actuality="potential",
                suspects=("trocar-or-needle",),
            ),
        ),
        subject=Subject(),
        reporter=Reporter(),
        devices=(ReportedDevice(kind="trocar-or-needle", fault=True),),
        nation="scotland",
    )


def everyone() -> dict[str, SafetyReport]:
    """Each sample by name."""
    return {"device": device(), "medicine": medicine(), "near-miss": near_miss()}
