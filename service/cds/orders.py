"""Which orders of a call a plan is about: by their codes, else by the words in them.

An order without a trigger's code whose text names what the trigger is about is shown and not assessed: it
never passes in silence. Nor does one of a type that no trigger names, if what it orders is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.cds.model import Order
from service.cds.ordered import ALSO, codings_of, concepts_at, concepts_within, is_concept, texts_of
from service.cds.patients import ABOUT
from service.cds.spellings import corrected
from service.cds.triggers import fold, holds, types_of
from service.domain.errors import Invalid
from service.domain.issues import error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service import fhirpath
    from service.cds.model import Call
    from service.cds.patients import Whose
    from service.cds.triggers import Trigger

Resource = dict[str, Any]
NOT_TO_BE_DONE = ("revoked", "cancelled", "entered-in-error")
ANOTHER = "This order is about another patient than the one whose record is open, so it was not assessed."
ELSEWHERE = (
    "This order names its patient on a FHIR server that is neither the call's fhirServer nor one listed for "
    "its client, so it was not assessed."
)
FAILED = "Whether the plan is about this order could not be worked out, so it was not assessed."
NEARLY = (
    "A code of this order is the procedure's but for its code system or the way that it is written, so it "
    "was not assessed. Once the code is written as its code system writes it, it is."
)
UNREADABLE = (
    "What is ordered is not written as FHIR writes it, so whether the plan is about this order is not known "
    "and it was not assessed."
)
_KINDS: Mapping[str, tuple[type, str]] = {
    "status": (str, "a text"),
    "doNotPerform": (bool, "true or false"),
    **dict.fromkeys(ABOUT, (dict, "a Reference")),
}
"""What is read of an order beside its codes."""
_LONGEST = 10_000


def orders_of(
    candidates: Mapping[str, Resource],
    whose: Whose,
    triggers: tuple[Trigger, ...],
    terms: fhirpath.Terminology | None,
) -> tuple[Order, ...]:
    """The orders that the plan is about, of those given by reference; not those that are not to be done.

    One that cannot be read is among them, with its reason: it may be.
    """
    found = []
    for reference, resource in candidates.items():
        if resource.get("status") in NOT_TO_BE_DONE or resource.get("doNotPerform") is True:
            continue
        told = resource
        about = (False, UNREADABLE) if _faults(resource, triggers) else _judge(resource, triggers, terms)
        if about is None:
            rewritten = _rewritten(resource, triggers)
            meant = next((one for one in rewritten if _judge(one, triggers, terms) is not None), None)
            if meant is None:
                continue
            told, about = meant, (False, _other_type(resource, triggers))
        coded, reason = about
        for name in ABOUT:
            if name in resource and whose.names(resource[name]) is False:
                coded, reason = False, ELSEWHERE if whose.is_elsewhere(resource[name]) else ANOTHER
        found.append(Order(reference, resource, _title(told, triggers), coded, reason))
    return tuple(found)


def require_readable(orders: Iterable[Order], call: Call, triggers: tuple[Trigger, ...]) -> None:
    """Nothing, where every draft could be read; else Invalid, with the element of each that could not.

    In silence such an order would pass for one that the plan is not about.
    """
    broken = [one for one in orders if one.reason == UNREADABLE]
    if not broken or not call.orders:
        return
    places = {reference: at for at, reference in enumerate(call.orders)}
    issues = []
    for order in broken:
        for name, wanted in _faults(order.resource, triggers):
            place = f"context.draftOrders.entry[{places[order.reference]}].resource.{name}"
            issues.append(error("structure", f"{place} is {wanted}", place))
    raise Invalid("an order cannot be read", issues=issues)


def judged(call: Call) -> Mapping[str, Resource]:
    """The orders that the hook asks about: those selected, or all drafts."""
    if call.hook == "order-select":
        return {key: call.orders[key] for key in call.chosen}
    return call.orders


def _judge(
    resource: Resource, triggers: tuple[Trigger, ...], terms: fhirpath.Terminology | None
) -> tuple[bool, str] | None:
    """Whether a trigger's code is on the order, and why it cannot be told; None: the order is not meant."""
    named = failed = nearly = False
    for trigger in triggers:
        if trigger.type is not None and resource.get("resourceType") != trigger.type:
            continue
        concepts = concepts_at(resource, trigger.path) if trigger.path else []
        if trigger.path is None or _is_coded(concepts, trigger):
            truth = holds(trigger.condition, resource, terms)
            if truth:
                return True, ""
            failed = failed or truth is None
        named = named or any(_speaks(trigger.names, text) for text in texts_of(concepts))
        nearly = nearly or _resembles(resource, trigger, terms)
    if failed:
        return False, FAILED
    if nearly:
        return False, NEARLY
    return (False, "") if named else None


def _faults(resource: Resource, triggers: tuple[Trigger, ...]) -> list[tuple[str, str]]:
    """The elements that are read of an order of the triggers' type and have another JSON type than theirs."""
    type_ = resource.get("resourceType")
    own = [one for one in triggers if one.type is None or one.type == type_]
    if not own:
        return []
    faults = [
        (name, wanted)
        for name, (kind, wanted) in _KINDS.items()
        if name in resource and not isinstance(resource[name], kind)
    ]
    paths = [one.path for one in own if one.path]
    faults += [
        (name, "a CodeableConcept, with coding, text or both")
        for name in (dict.fromkeys((*paths, ALSO)) if paths else ())
        if name in resource and not _holds_concepts(resource[name])
    ]
    return faults


def _holds_concepts(found: object) -> bool:
    return all(map(is_concept, found)) and found != [] if isinstance(found, list) else is_concept(found)


def _is_coded(concepts: list[Resource], trigger: Trigger) -> bool:
    """Whether one of the trigger's codes is on the concepts."""
    for concept in concepts:
        for coding in codings_of(concept):
            if (coding["system"], coding["code"]) in trigger.codes:
                return True
    return False


def _rewritten(resource: Resource, triggers: tuple[Trigger, ...]) -> Iterator[Resource]:
    """What the order would be, were it of the triggers' type and R4's; nothing where it is both.

    Only what is ordered is carried over: another type, or another release of FHIR, says it elsewhere.
    """
    types, type_ = types_of(triggers), resource.get("resourceType")
    for trigger in () if None in types else triggers:
        if trigger.path is None:
            continue
        concepts: list[Any] = []
        if type_ not in types:
            concepts = concepts_within(resource)
        elif type_ == trigger.type:  # what R5 has a concept in is itself the concept in R4
            concepts = [one["concept"] for one in concepts_at(resource, trigger.path) if "concept" in one]
        if concepts:
            yield {"resourceType": trigger.type, trigger.path: concepts}


def _other_type(resource: Resource, triggers: tuple[Trigger, ...]) -> str:
    """Why an order that is not written as the triggers name it was not assessed."""
    types = {one.type: f"{one.type}'s {one.path or 'code'}" for one in triggers if one.type}
    written, judges = str(resource.get("resourceType"))[:60], " or ".join(types)
    return (
        f"It is written as {written}, and the plan judges {judges} of FHIR R4, so it was not assessed. "
        f"Once what is ordered stands in a {' or '.join(types.values())}, it is."
    )


def _resembles(resource: Resource, trigger: Trigger, terms: fhirpath.Terminology | None) -> bool:
    """Whether the order would be meant, were its codes written as the trigger writes them."""
    if trigger.path is None or not trigger.alike:
        return False
    made = corrected(resource, (trigger.path, ALSO), trigger.alike)
    return made is not None and holds(trigger.condition, made, terms) is True


def _speaks(names: tuple[str, ...], text: str) -> bool:
    folded = fold(text[:_LONGEST])
    return any(name in folded for name in names)


def _title(resource: Resource, triggers: tuple[Trigger, ...]) -> str:
    """What the order calls itself: its text, else a display, else what its code is called; else empty."""
    for path in dict.fromkeys(trigger.path or "code" for trigger in triggers):
        for text in texts_of(concepts_at(resource, path)):
            if text.strip():
                return text.strip()
    for trigger in triggers:
        for concept in concepts_at(resource, trigger.path) if trigger.path else ():
            for coding in codings_of(concept):
                if display := trigger.codes.get((coding["system"], coding["code"])):
                    return display
    return ""
