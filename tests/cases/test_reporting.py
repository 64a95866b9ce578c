"""Where each event is reported: every case, and every term with every combination of suspects."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from service.adapters.content import load
from service.domain.safety_report import Branch
from service.domain.site import NATIONS, Site
from service.fhir.extraction import extract
from service.operations.report.cases import seriousness_of
from service.operations.terms import Terms
from service.yellow_card.building import Source, build, suspicion
from service.yellow_card.fields import MINIMUM, missing, read_form
from service.yellow_card.filling import find_fields
from service.yellow_card.reportability import REPORTED, Suspicion, decide
from service.yellow_card.routing import find_routes, route_of
from tests.cases import FOLDER, Case, read, response

if TYPE_CHECKING:
    from service.domain.safety_report import ReportedDevice, ReportedMedicine, SafetyReport

CONTENT = load()
TERMS = Terms(CONTENT.terminology)
[FIELDS] = find_fields(CONTENT.data, CONTENT.resolve)
ROUTES = find_routes(CONTENT.data)
FORM = read_form(CONTENT.data["mappings/shared/device-report.json"])
CASES = list(read("htg117", "reports"))
TABLES = tomllib.loads((FOLDER / "htg117" / "reporting" / "terms.toml").read_text(encoding="utf-8"))
SITE = Site(organisation="Example Trust", nation="england")
UNANSWERED = "unanswered"
ROWS = [
    (term, suspects, branches)
    for table in TABLES["table"]
    for term in table["terms"]
    for suspects, branches in table["reports"].items()
]
Resource = dict[str, Any]


def source(case: Case) -> Source:
    """The one event that the case's form comes to, with the part of the form that it came from."""
    published = CONTENT.read("Questionnaire", case.form)
    assert published is not None
    form = response(case, published.resource) | {"id": "f", "author": {"display": "Dr Example"}}
    made = extract(
        form, published.resource, new_id=lambda key: f"urn:{key}", resolve=CONTENT.resolve, terminology=TERMS
    )
    [entry] = [one for one in made.entries if one.resource["resourceType"] == "AdverseEvent"]
    at = int(entry.place.rsplit("[", 1)[1].rstrip("]"))
    group = form["item"][at]
    own = form if case.form.endswith("procedure") else None
    return Source(
        entry.resource | {"id": "e"}, form, group["linkId"], group, procedure_form=own, local_reference="LR-1"
    )


def device(one: ReportedDevice) -> str:
    said = [one.product, one.manufacturer, one.model, one.lot, one.serial, one.udi]
    said += ["antibiotic" if one.antibiotic else None, f"{one.volume} mL" if one.volume else None]
    said += [one.site.display if one.site else None, "faulty" if one.fault else None, one.location]
    return f"{one.kind or ''}: {', '.join(part for part in said if part)}"


def medicine(one: ReportedMedicine) -> str:
    said = [one.name, one.dose, one.route, one.batch, "defective" if one.defective else None]
    return ", ".join(part for part in said if part)


def told(report: SafetyReport, by_case: dict[str, Branch]) -> Resource:
    """A report in the words of the cases, and nothing that it does not hold."""
    said: Resource = {
        "branch": str(report.branch),
        "why": report.decided_by,
        "serious": seriousness_of(report),
    }
    if report.events[0].outcome:
        said["outcome"] = report.events[0].outcome
    way = route_of(ROUTES, report.branch, report.nation, private=False)
    if way is not None:
        said["to"] = way.name
    if report.devices:
        said["devices"] = [device(one) for one in report.devices]
    if report.branch is not Branch.DEVICE and report.medicines:
        said["medicines"] = [medicine(one) for one in report.medicines]
    if report.narrative:
        said["narrative"] = report.narrative
    if report.linked:
        said["linked"] = [str(by_case[one]) for one in report.linked]
    if report.branch in REPORTED:
        lacks = [one.label for one in missing(report, FORM) if one.need == MINIMUM]
        said["lacks"] = [one for one in lacks if one not in OF_THE_REPORTER]
    return said


OF_THE_REPORTER = ("one of: Telephone, E-mail",)
"""What a form cannot hold and this site does not tell."""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_event_is_reported_as_the_case_says(case: Case) -> None:
    held = source(case)
    where = decide(suspicion(held, FIELDS), FIELDS)
    ids = {one.branch: f"case-{one.branch}" for one in where.decisions}
    reports = [build(held, FIELDS, SITE, one, ids) for one in where.decisions]
    by_case = {case_: branch for branch, case_ in ids.items()}
    assert [told(one, by_case) for one in reports] == case.expect["reports"]
    assert [str(one.branch) for one in where.offers] == case.expect.get("offers", [])
    assert [link for one in where.decisions for link in one.asks] == case.expect.get("asks", [])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1]}")
def test_every_term_with_every_combination_of_suspects(row: tuple[str, str, list[str]]) -> None:
    term, said, branches = row
    suspects = () if said == UNANSWERED else tuple(said.split(" + "))
    found = decide(Suspicion(FIELDS.terms[term], suspects), FIELDS)
    assert [str(one) for one in found.branches] == branches
    near = decide(Suspicion(FIELDS.terms[term], suspects, potential=True), FIELDS)
    assert near.branches == found.branches


def test_the_table_has_every_term_that_can_be_chosen_and_every_combination() -> None:
    system = CONTENT.read("CodeSystem", "htg117-event-terms")
    assert system is not None
    selectable = {
        concept["code"]
        for concept in system.resource["concept"]
        if {"code": "selectable", "valueBoolean": True} in concept["property"]
    }
    assert {term for table in TABLES["table"] for term in table["terms"]} == selectable
    for table in TABLES["table"]:
        combinations = {frozenset(one.split(" + ")) - {UNANSWERED} for one in table["reports"]}
        assert len(combinations) == len(table["reports"]) == 2 ** len(FIELDS.suspects)
        assert frozenset().union(*combinations) == set(FIELDS.suspects)


@pytest.mark.parametrize(
    "row", TABLES["route"], ids=lambda row: f"{row['nation']} {row.get('private', False)}"
)
def test_each_nation_has_its_routes(row: Resource) -> None:
    for branch in REPORTED:
        found = route_of(ROUTES, branch, row["nation"], private=row.get("private", False))
        assert found is not None
        assert (found.name, found.country) == (row[str(branch)], row["country"])
        also = tuple(row.get("also", ())) if branch is Branch.DEVICE else ()
        assert found.also == also
        assert (bool(found.source), len(found.read)) == (True, len("2026-11-21"))


def test_every_nation_is_in_the_table_and_a_device_needs_one() -> None:
    assert {row["nation"] for row in TABLES["route"]} == set(NATIONS)
    assert route_of(ROUTES, Branch.DEVICE, None) is None
    medicine_route = route_of(ROUTES, Branch.MEDICINE, None)
    assert medicine_route is not None
    assert medicine_route.name == "Yellow Card (MHRA)"
