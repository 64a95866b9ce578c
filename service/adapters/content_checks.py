"""What is wrong with the content: every fault of every file, found before the service starts.

Each check is a function from the content to faults; ``CHECKS`` is all of them, and whoever brings a new
rule adds one. ``htg117 check`` prints what they find; the service refuses to start on any.
"""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.adapters.content import Fault
from service.adapters.content_elements import Element, elements
from service.cds.attention import read_attention
from service.cds.discovery import services_of
from service.cds.faces import read_face
from service.cds.hooks import HOOKS
from service.cds.triggers import read_triggers
from service.domain.errors import ContentFault
from service.domain.issues import error
from service.fhir import extraction, validation
from service.fhir.extraction.sample import answer_everything
from service.fhir.plans import input_forms, read_plan
from service.operations.terms import Terms
from service.yellow_card.e2b.elements import read_guide
from service.yellow_card.e2b.rendering import TABLE
from service.yellow_card.filling import find_fields
from service.yellow_card.routing import find_routes

if TYPE_CHECKING:
    from service.adapters.content import Folder
    from service.operations.ports import Published

Resource = dict[str, Any]
Check = Callable[["Folder"], Iterable[Fault]]
CODE_TABLE = "mappings/shared/code-table.csv"
_CITATION = "/StructureDefinition/guidance-paragraph"
_LINK_ID = re.compile(r"linkId\s*=\s*'([^']+)'")
_VARIABLE = re.compile(r"%`?([A-Za-z][A-Za-z0-9_-]*)")
_OUTSIDE = (
    "http://hl7.org/", "http://terminology.hl7.org/", "https://fhir.hl7.org.uk/", "https://fhir.nhs.uk/",
    "http://snomed.info/", "http://loinc.org", "http://unitsofmeasure.org", "http://www.nice.org.uk/",
    "urn:",
)  # fmt: skip


def check_names(content: Folder) -> Iterator[Fault]:
    """Each file is named after its resource: ``ResourceType-id.json``."""
    for one in content.published:
        wanted = f"{one.type}-{one.id}.json"
        if not one.file.endswith(f"/{wanted}"):
            yield Fault(one.file, "id", f"the file of {one.type}/{one.id} is named {wanted}")


def check_validity(content: Folder) -> Iterator[Fault]:
    """Each resource is valid R4; a form's expressions compile and its rules hold together."""
    for one in (*content.published, *content.examples("QuestionnaireResponse")):
        for issue in validation.check(one.resource, resolve=content.resolve):
            if issue.fails:
                yield Fault(one.file, issue.expression, issue.message)


def check_extraction(content: Folder) -> Iterator[Fault]:
    """Each form's extraction is fit: templates are there, expressions compile, results can be built."""
    for one in content.of_type("Questionnaire"):
        for issue in extraction.check(one.resource, content.resolve):
            if issue.fails:
                yield Fault(one.file, issue.expression, issue.message)
        for last in (False, True):
            yield from _try_out(one, content, last)


def _try_out(one: Published, content: Folder, last: bool) -> Iterator[Fault]:
    """What is wrong with the resources that a form with every question answered is extracted to."""
    sample = answer_everything(one.resource, last=last)
    made = extraction.extract(
        sample,
        one.resource,
        new_id=lambda key: f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, key)}",
        resolve=content.resolve,
        terminology=Terms(content.terminology),
    )
    for issue in made.issues:
        if issue.fails:
            yield Fault(one.file, issue.expression, f"extraction: {issue.message}")
    for entry in made.entries:
        found = validation.check(entry.resource, resolve=content.resolve, terminology=content.terminology)
        for issue in found:
            if issue.fails:
                yield Fault(one.file, entry.place, f"extraction yields an invalid resource: {issue}")


def check_plans(content: Folder) -> Iterator[Fault]:
    """Each plan can be run: its expressions compile, its criteria have code, citation and reasons.

    What its triggers name can be served by CDS Hooks.
    """
    plans, terms = content.of_type("PlanDefinition"), Terms(content.terminology)
    for one in plans:
        try:
            read_plan(one.resource)
            read_attention(one.resource)
            read_face(one.resource, content)
            for hook in HOOKS:
                read_triggers(one.resource, hook, content.terminology, terms)
        except ContentFault as fault:
            yield from (Fault(one.file, issue.expression, issue.message) for issue in fault.issues)
    try:
        services_of([one.resource for one in plans], content.resolve)
    except ContentFault as fault:
        files = {f"PlanDefinition[{one.id}]": one.file for one in plans}
        for issue in fault.issues:
            yield Fault(files.get(issue.expression.split(".")[0], ""), issue.expression, issue.message)


def check_canonicals(content: Folder) -> Iterator[Fault]:
    """Each canonical leads to something published here, or is known to lie outside."""
    bases = {str(one.url).rsplit("/", 2)[0] + "/" for one in content.published if one.url}
    for one in content.published:
        for element in elements(one.resource):
            for canonical in _canonicals(element):
                if canonical.startswith(tuple(bases)):
                    if content.resolve(canonical) is None:
                        yield Fault(one.file, element.place, f"nothing published here is {canonical}")
                elif not canonical.startswith((*_OUTSIDE, "#")):
                    yield Fault(one.file, element.place, f"{canonical} is neither published here nor known")


def _canonicals(element: Element) -> Iterator[str]:
    if element.type == "canonical" and isinstance(element.value, str):
        yield element.value
    elif element.type == "Extension" and isinstance(element.value.get("url"), str):
        url = element.value["url"]
        if ":" in url:
            yield url


def check_expressions(content: Folder) -> Iterator[Fault]:
    """Each FHIRPath expression compiles (those of forms are compiled by ``check_validity``)."""
    for one in content.published:
        if one.type == "Questionnaire":
            continue
        for element in elements(one.resource):
            if element.type == "Expression" and element.value.get("language") == "text/fhirpath":
                text = str(element.value.get("expression", ""))
                try:
                    fhirpath.compile(text, variables=_VARIABLE.findall(text))
                except fhirpath.ExpressionError as fault:
                    yield Fault(one.file, element.place, str(fault))


def check_link_ids(content: Folder) -> Iterator[Fault]:
    """Each linkId that an expression names is an item of a form that the expression is about."""
    for one in content.published:
        forms = [one.resource] if one.type == "Questionnaire" else []
        if one.type == "PlanDefinition":
            forms = [form for form in map(content.resolve, input_forms(one.resource)) if form]
        if not forms:
            continue
        known = set().union(*(_link_ids(form.get("item", ())) for form in forms))
        named = " or ".join(str(form.get("id")) for form in forms)
        for element in elements(one.resource):
            if element.type == "Expression":
                text = str(element.value.get("expression", ""))
                for link_id in _LINK_ID.findall(text):
                    if link_id not in known:
                        yield Fault(one.file, element.place, f"no item of {named} is '{link_id}'")


def _link_ids(items: Iterable[Resource]) -> set[str]:
    found: set[str] = set()
    for item in items:
        found.add(str(item.get("linkId")))
        found |= _link_ids(item.get("item", ()))
    return found


def check_codings(content: Folder) -> Iterator[Fault]:
    """Each coding of a clinical vocabulary stands in the code table; each of our own is a concept of ours."""
    table = content.tables.get(CODE_TABLE)
    if table is None:
        return
    rows = list(csv.DictReader(io.StringIO(table)))
    listed = {(row["system"], row["code"]) for row in rows}
    systems = {row["system"] for row in rows}
    for one in content.published:
        for place, system, code in _codings(one):
            held = content.resolve(system)
            if held is not None and held.get("resourceType") == "CodeSystem":
                if held.get("content") == "complete" and code not in _codes(held.get("concept", ())):
                    yield Fault(one.file, place, f"'{code}' is no concept of {system}")
            elif system in systems and (system, code) not in listed:
                yield Fault(one.file, place, f"'{code}' of {system} is not in {CODE_TABLE}")


def _codings(one: Published) -> Iterator[tuple[str, str, str]]:
    for element in elements(one.resource):
        value = element.value
        if element.type == "Coding" and "system" in value and "code" in value:
            yield element.place, value["system"], value["code"]
        elif element.type == "ValueSet.compose.include" and "system" in value:
            for concept in value.get("concept", ()):
                yield element.place, value["system"], str(concept.get("code"))
        elif element.type == "ConceptMap.group":
            for source in value.get("element", ()):
                yield element.place, str(value.get("source")), str(source.get("code"))
                for target in source.get("target", ()):
                    if "code" in target:
                        yield element.place, str(value.get("target")), target["code"]


def _codes(concepts: Iterable[Resource]) -> set[str]:
    found: set[str] = set()
    for concept in concepts:
        found.add(str(concept.get("code")))
        found |= _codes(concept.get("concept", ()))
    return found


def check_citations(content: Folder) -> Iterator[Fault]:
    """Each question of a form cites the guidance's paragraph, or says that it is the project's own."""
    for one in content.of_type("Questionnaire"):
        yield from _uncited(one.file, one.resource.get("item", ()), "Questionnaire")


def _uncited(file: str, items: Iterable[Resource], place: str) -> Iterator[Fault]:
    for at, item in enumerate(items):
        here = f"{place}.item[{at}]"
        cited = any(str(one.get("url", "")).endswith(_CITATION) for one in item.get("extension", ()))
        if item.get("type") not in ("group", "display") and not cited:
            yield Fault(file, here, f"{item.get('linkId')} cites no paragraph of the guidance")
        yield from _uncited(file, item.get("item", ()), here)


def check_reports(content: Folder) -> Iterator[Fault]:
    """What safety reports are filled from, and where they go, fits the forms that are published."""
    for find in (lambda: find_fields(content.data, content.resolve), lambda: find_routes(content.data)):
        try:
            find()
        except ContentFault as fault:
            for issue in fault.issues:
                file, _, said = issue.message.partition(": ")
                yield Fault(file, issue.expression, said)


def check_e2b(content: Folder) -> Iterator[Fault]:
    """The table of E2B(R3) elements, where there is one, fits its message."""
    if TABLE in content.data:
        try:
            read_guide(content.data[TABLE])
        except ContentFault as fault:
            yield Fault(TABLE, "", str(fault))


CHECKS: list[Check] = [
    check_names, check_validity, check_extraction, check_plans, check_expressions, check_canonicals,
    check_link_ids, check_codings, check_citations, check_reports, check_e2b,
]  # fmt: skip


def find_faults(content: Folder) -> list[Fault]:
    """Every fault, those of reading first, each once."""
    found = dict.fromkeys(content.faults)
    for check in CHECKS:
        found |= dict.fromkeys(check(content))
    return list(found)


def require_sound(content: Folder) -> None:
    """Nothing, where no check finds a fault; else ContentFault with all of them."""
    faults = find_faults(content)
    if faults:
        issues = [error("invalid", str(fault), fault.element) for fault in faults]
        raise ContentFault(f"the published content has {len(faults)} faults", issues=issues)
