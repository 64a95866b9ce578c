"""What an order says that is ordered: the concepts of it, where R4 has them or wherever else they stand.

Types and releases of FHIR differ in the element: ``code``, ``codeCodeableConcept``, ``serviceRequested``,
``item.code``, ``activity.detail.code``, ``action.title`` and more. What comes from an EHR has passed no
gate: what has another shape than FHIR's is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

Resource = dict[str, Any]
ALSO = "orderDetail"
"""What is ordered may stand in an order's detail too."""
_TITLES = ("title", "description", "display")
_BESIDE = frozenset(
    {"addresses", "basedOn", "condition", "contained", "diagnosis", "encounter", "extension", "goal"}
    | {"groupIdentifier", "identifier", "indication", "insurance", "location", "meta", "modifierExtension"}
    | {"note", "partOf", "patient", "performer", "priorPrescription", "priorRequest", "relevantHistory"}
    | {"replaces", "requester", "subject", "supportingInfo", "supportingInformation"}
)
"""Elements that say for whom, why, by whom or after what it is ordered, and not what. So does a reason."""

_FAMILIES = (
    frozenset(
        {"ServiceRequest", "ProcedureRequest", "DiagnosticOrder", "DiagnosticRequest", "ReferralRequest"}
    ),
    frozenset({"MedicationRequest", "MedicationOrder", "MedicationPrescription"}),
    frozenset({"DeviceRequest", "DeviceUseRequest"}),
    frozenset({"SupplyRequest", "Supply"}),
    frozenset({"NutritionOrder", "NutritionRequest"}),
    frozenset({"VisionPrescription"}),
    frozenset({"ImmunizationRecommendation"}),
    frozenset({"CommunicationRequest"}),
)
"""Types of the releases of FHIR that order the same kind of thing, and nothing of any other kind."""


def may_order(type_: str, types: Collection[str | None]) -> bool:
    """Whether an order of a type may be of the kind that the types order.

    A type of no kind of its own (a CarePlan, a RequestGroup, one that FHIR does not have) may hold any.
    """
    if None in types or type_ in types:
        return True
    own = [family for family in _FAMILIES if type_ in family]
    return not own or any(not family.isdisjoint(types) for family in own)


def concepts_at(resource: Resource, path: str) -> list[Resource]:
    """The concepts in an element and in the order's detail."""
    concepts: list[Resource] = []
    for name in (path, ALSO):
        found = resource.get(name)
        if isinstance(found, dict):
            concepts.append(found)
        elif isinstance(found, list):
            concepts += [one for one in found if isinstance(one, dict)]
    return concepts


def concepts_within(resource: Resource) -> list[Resource]:
    """The concepts in every element that may say what is ordered, in their order; titles count as texts."""
    concepts: list[Resource] = []
    waiting: list[Any] = [resource]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
            continue
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("coding"), list) or isinstance(node.get("text"), str):
            concepts.append(node)
            continue
        concepts += [{"text": node[name]} for name in _TITLES if isinstance(node.get(name), str)]
        if isinstance(node.get("system"), str) and isinstance(node.get("code"), str):
            concepts.append({"coding": [node]})
        waiting += [node[name] for name in reversed(node) if _says_what(name)]
    return concepts


def is_concept(value: object) -> bool:
    """Whether it has the JSON types of a CodeableConcept: R4's, or what a later release has in its place.

    What is null within says nothing and harms none.
    """
    if not isinstance(value, dict) or not value or not _is_text(value.get("text")):
        return False
    codings = value.get("coding")
    if codings is None:
        return True
    if not isinstance(codings, list):
        return False
    for one in codings:
        if not isinstance(one, dict):
            return False
        if not (_is_text(one.get("system")) and _is_text(one.get("code")) and _is_text(one.get("display"))):
            return False
    return True


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def codings_of(concept: Resource) -> Iterator[Resource]:
    """The codings of a concept that have both a system and a code."""
    found = concept.get("coding")
    for coding in found if isinstance(found, list) else ():
        if (
            isinstance(coding, dict)
            and isinstance(coding.get("system"), str)
            and isinstance(coding.get("code"), str)
        ):
            yield coding


def texts_of(concepts: Iterable[Resource]) -> Iterator[str]:
    """The texts of the concepts, each followed by the displays of its codings."""
    for concept in concepts:
        if isinstance(concept.get("text"), str):
            yield concept["text"]
        codings = concept.get("coding")
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and isinstance(coding.get("display"), str):
                yield coding["display"]


def _says_what(name: str) -> bool:
    return name not in _BESIDE and "reason" not in name.casefold()
