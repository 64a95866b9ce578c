"""``populate``: a published form pre-filled for a subject, as SDC's ``Questionnaire/$populate`` answers it.

Queries are answered from the caller's ``data`` Bundle and, where ``local`` asks for it, from the records
kept here. Nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from service.domain.addresses import normal
from service.domain.errors import Invalid, Unprocessable, Unsupported
from service.domain.issues import error
from service.fhir.population import Populated, Surroundings, populate
from service.operations.apply import same
from service.operations.ports import Published
from service.operations.representation import resource_of
from service.operations.searching.matching import find
from service.operations.searching.parameters import RECORD_TYPES
from service.operations.searching.query import LARGEST_COUNT, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from service.fhirpath import Terminology
    from service.operations.ports import Content, Records

Resource = dict[str, Any]
SOURCE_PROFILE = "answer-source"


@dataclass(frozen=True, slots=True)
class Request:
    """One call. ``subject`` and ``author`` are References; ``context`` holds resources by name.

    ``data`` None means that no Bundle was sent; an empty tuple, that the record is empty.
    """

    subject: Resource | None
    now: datetime
    context: Mapping[str, Sequence[Resource]] = field(default_factory=dict)
    data: tuple[Resource, ...] | None = None
    author: Resource | None = None


def populate_form(
    questionnaire: Resource,
    request: Request,
    content: Content,
    *,
    records: Records | None = None,
    terminology: Terminology | None = None,
) -> Populated:
    """The form filled for the request's subject; Invalid where what was sent is another patient's.

    ``records`` are searched too where they are given (``local``).
    """
    context = dict(request.context)
    subject = request.subject
    if subject is None and len(context.get("patient", ())) == 1 and "id" in context["patient"][0]:
        subject = {"reference": f"Patient/{context['patient'][0]['id']}"}
    reference = str((subject or {}).get("reference", ""))
    _refuse_another_patient(context, reference)
    _refuse_two_patients(request.data or (), reference)
    if "patient" not in context and request.data and reference:
        context |= {"patient": _own(request.data, reference)}
    search = None
    if request.data is not None or records is not None:
        search = _search([one for one in request.data or () if not _of_another(one, reference)], records)
    return populate(
        questionnaire,
        {name: values for name, values in context.items() if values},
        Surroundings(search, request.now, terminology),
        subject=subject,
        author=request.author,
        source_url=source_url(content),
    )


def _own(data: Iterable[Resource], reference: str) -> list[Resource]:
    return [
        resource
        for resource in data
        if resource.get("resourceType") == "Patient" and same(f"Patient/{resource.get('id')}", reference)
    ][:1]


def _refuse_another_patient(context: Mapping[str, Sequence[Resource]], reference: str) -> None:
    for patient in context.get("patient", ()):
        if reference and not same(f"Patient/{patient.get('id')}", reference):
            said = "the patient in context is not the subject of the call; send the same patient in both"
            raise Invalid(said, issues=[error("business-rule", said, "Parameters.parameter:context")])


def _about(resource: Resource) -> list[str]:
    """The references by which a resource of the data says whom it is about."""
    said = [resource.get(name) for name in ("subject", "patient")]
    references = [one.get("reference") for one in said if isinstance(one, dict)]
    return [one for one in references if isinstance(one, str)]


def _of_another(resource: Resource, reference: str) -> bool:
    """Whether it says that it is about somebody else: an id alone is another's on another server."""
    return bool(reference) and any(not same(one, reference) for one in _about(resource))


def _refuse_two_patients(data: Sequence[Resource], reference: str) -> None:
    """Invalid where the subject's id is that of patients on two servers: which is meant cannot be told."""
    absolute = {
        normal(one) for resource in data for one in _about(resource) if "://" in one and same(one, reference)
    }
    if len(absolute) > 1:
        said = (
            "the data is about patients of one id on several servers; name the subject by its whole address"
        )
        raise Invalid(said, issues=[error("business-rule", said, "Parameters.parameter:data")])


def source_url(content: Content) -> str | None:
    published = content.read("StructureDefinition", SOURCE_PROFILE)
    return published.url if published else None


def _search(data: Sequence[Resource], records: Records | None) -> Callable[[str], Resource]:
    """A search over the data sent and, if given, the records kept: ``Type?name=value`` to a Bundle."""

    def run(query: str) -> Resource:
        kind, _, text = query.partition("?")
        pairs = parse_qsl(text, keep_blank_values=True)
        if not kind.isalpha():
            raise Unsupported("a query of the form is not of the shape Type?name=value")
        named = {one for name, value in pairs if name == "_id" for one in value.split(",")}
        pairs = [*pairs, ("_count", str(LARGEST_COUNT))]
        asked = parse(kind, [pair for pair in pairs if pair[0] != "_id"], strict=True)
        held = [
            Published("", b"", _relative(resource) | {"id": str(number)})
            for number, resource in enumerate(data)
            if resource.get("resourceType") == kind and (not named or resource.get("id") in named)
        ]
        page, total, _ = find(asked, held)
        if total > len(page):
            raise Unprocessable(f"the data holds more than {LARGEST_COUNT} answers to one query of the form")
        found = [data[int(one.id)] for one in page]
        if records is not None and kind in RECORD_TYPES:
            kept = records.search(parse(kind, pairs, strict=True))
            if kept.cursor is not None:
                raise Unprocessable(
                    f"the records hold more than {LARGEST_COUNT} answers to one query of the form"
                )
            found += [resource_of(version) for version in kept.versions]
        entries = [{"resource": resource} for resource in found]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    return run


def _relative(resource: Resource) -> Resource:
    """The resource with its subject as ``Type/id``, so that an EHR's absolute references are found too."""
    changed = dict(resource)
    for name in ("subject", "patient"):
        reference = (resource.get(name) or {}).get("reference")
        if isinstance(reference, str) and "://" in reference:
            changed[name] = {"reference": "/".join(reference.split("/")[-2:])}
    return changed
