"""Which orders of a call a plan is about: by their codes, else by the words in them.

A plan's trigger names a type of order, a value set of codes and, where a code alone is not enough, a
condition over the order (R4 TriggerDefinition). An order without such a code whose text names what the
trigger is about is shown and not assessed: it never passes in silence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.cds.model import Order
from service.cds.patients import Whose
from service.cds.prefetch import triggers
from service.cds.spellings import alike, corrected
from service.domain.errors import ContentFault
from service.fhir.concepts import NotEnumerable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service.cds.model import Call
    from service.cds.spellings import Alike
    from service.fhir.concepts import Terminology

Resource = dict[str, Any]
ALSO = "orderDetail"
"""What is ordered may stand in an order's detail too."""
NOT_TO_BE_DONE = ("revoked", "cancelled", "entered-in-error")
ANOTHER = "This order is about another patient than the one whose record is open, so it was not assessed."
FAILED = "Whether the plan is about this order could not be worked out, so it was not assessed."
NEARLY = (
    "A code of this order is the procedure's but for its code system or the way that it is written, so it "
    "was not assessed. Once the code is written as its code system writes it, it is."
)
_WORD = re.compile(r"\w+")
_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger, read: ``type`` and ``path`` of its orders, their codes by system, and the names of these.

    ``codes`` have their displays. ``names`` are folded words, of the codes that suffice alone. ``alike`` are
    the codes as they may be miswritten. Without ``path`` every order of the type
    is meant; without ``type`` every order.
    """

    type: str | None
    path: str | None
    codes: Mapping[tuple[str, str], str]
    names: tuple[str, ...]
    condition: fhirpath.Program | None
    alike: Alike = field(default_factory=dict)


def read_triggers(
    definition: Resource, hook: str, terminology: Terminology, terms: fhirpath.Terminology | None
) -> tuple[Trigger, ...]:
    """The triggers of a plan at a hook. ContentFault where a value set or a condition cannot be used here."""
    found: list[Trigger] = []
    for trigger in triggers(definition, hook):
        condition = _condition(trigger)
        data = trigger.get("data", ())
        if not data:
            found.append(Trigger(None, None, {}, (), condition))
        for requirement in data:
            type_, filters = str(requirement.get("type")), requirement.get("codeFilter", ())
            if not filters:
                found.append(Trigger(type_, None, {}, (), condition))
            for chosen in filters:
                path, members = str(chosen.get("path", "code")), _members(chosen, terminology)
                names = _names(type_, path, members, condition, terms)
                codes = {code: words[0] for code, words in members.items()}
                found.append(Trigger(type_, path, codes, names, condition, alike(codes)))
    return tuple(found)


def orders_of(
    candidates: Mapping[str, Resource],
    call: Call,
    triggers: tuple[Trigger, ...],
    terms: fhirpath.Terminology | None,
) -> tuple[Order, ...]:
    """The orders that the plan is about, of those given by reference; not those that are not to be done."""
    whose = Whose(call.patient, (call.access.server,) if call.access else ())
    found = []
    for reference, resource in candidates.items():
        if resource.get("status") in NOT_TO_BE_DONE or resource.get("doNotPerform") is True:
            continue
        about = _judge(resource, triggers, terms)
        if about is None:
            continue
        coded, reason = about
        if any(whose.names(resource.get(name)) is False for name in ("subject", "patient")):
            coded, reason = False, ANOTHER
        found.append(Order(reference, resource, _title(resource, triggers), coded, reason))
    return tuple(found)


def judged(call: Call) -> dict[str, Resource]:
    """The orders that the hook asks about: those selected, or all drafts."""
    if call.hook == "order-select":
        return {key: call.orders[key] for key in call.chosen}
    return dict(call.orders)


def types_of(triggers: Iterable[Trigger]) -> frozenset[str | None]:
    """The types of order that the triggers name; None among them means every type."""
    return frozenset(trigger.type for trigger in triggers)


def _judge(
    resource: Resource, triggers: tuple[Trigger, ...], terms: fhirpath.Terminology | None
) -> tuple[bool, str] | None:
    """Whether a trigger's code is on the order, and why it cannot be told; None: the order is not meant."""
    named = failed = nearly = False
    for trigger in triggers:
        if trigger.type is not None and resource.get("resourceType") != trigger.type:
            continue
        concepts = list(_concepts(resource, trigger.path)) if trigger.path else []
        if trigger.path is None or any(
            (coding.get("system"), coding.get("code")) in trigger.codes
            for concept in concepts
            for coding in _codings(concept)
        ):
            holds = _holds(trigger.condition, resource, terms)
            if holds:
                return True, ""
            failed = failed or holds is None
        named = named or any(_speaks(trigger.names, text) for text in _texts(concepts))
        nearly = nearly or _resembles(resource, trigger, terms)
    if failed:
        return False, FAILED
    if nearly:
        return False, NEARLY
    return (False, "") if named else None


def _resembles(resource: Resource, trigger: Trigger, terms: fhirpath.Terminology | None) -> bool:
    """Whether the order would be meant, were its codes written as the trigger writes them."""
    if trigger.path is None or not trigger.alike:
        return False
    made = corrected(resource, (trigger.path, ALSO), trigger.alike)
    return made is not None and _holds(trigger.condition, made, terms) is True


def _holds(
    condition: fhirpath.Program | None, resource: Resource, terms: fhirpath.Terminology | None
) -> bool | None:
    """Whether the condition is true of the order; None where it cannot be evaluated."""
    if condition is None:
        return True
    try:
        return condition(resource, terminology=terms) == [True]
    except fhirpath.EvaluationError:
        return None


def _condition(trigger: Resource) -> fhirpath.Program | None:
    given = trigger.get("condition")
    if given is None:
        return None
    if given.get("language") != "text/fhirpath":
        raise ContentFault(f"a trigger's condition is text/fhirpath, not {given.get('language')}")
    try:
        return fhirpath.compiled(str(given.get("expression", "")))
    except fhirpath.ExpressionError as fault:
        raise ContentFault(f"a trigger's condition does not compile: {fault}") from fault


def _members(chosen: Resource, terminology: Terminology) -> dict[tuple[str, str], list[str]]:
    """The codes of a filter, and the words that each goes by."""
    found: dict[tuple[str, str], list[str]] = {
        (str(coding.get("system")), str(coding.get("code"))): [str(coding.get("display", ""))]
        for coding in chosen.get("code", ())
    }
    if "valueSet" in chosen:
        try:
            members = terminology.expand(chosen["valueSet"])
        except NotEnumerable as fault:
            raise ContentFault(f"a trigger's codes are not all held here: {fault}") from fault
        for key, member in members.items():
            words = [str(one.get("value", "")) for one in member.designations]
            found[key] = [member.display or "", *words]
    return found


def _names(
    type_: str,
    path: str,
    members: Mapping[tuple[str, str], list[str]],
    condition: fhirpath.Program | None,
    terms: fhirpath.Terminology | None,
) -> tuple[str, ...]:
    """The folded names of the codes that meet the condition alone: the others name something wider."""
    found: dict[str, None] = {}
    for (system, code), words in members.items():
        alone = {"resourceType": type_, path: {"coding": [{"system": system, "code": code}]}}
        if _holds(condition, alone, terms):
            found |= dict.fromkeys(name for name in map(fold, words) if name.strip())
    return tuple(found)


def fold(text: str) -> str:
    """The words of a text without case and accents, with a space before and after each."""
    if not text.isascii():
        text = "".join(one for one in unicodedata.normalize("NFKD", text) if _is_read(one))
    words = _WORD.findall(text.casefold())
    return f" {' '.join(words)} " if words else ""


def _is_read(character: str) -> bool:
    """Whether it is more than an accent or a mark that nobody sees, such as a soft hyphen."""
    return not unicodedata.combining(character) and unicodedata.category(character) != "Cf"


def _speaks(names: tuple[str, ...], text: str) -> bool:
    folded = fold(text[:_LONGEST])
    return any(name in folded for name in names)


def _concepts(resource: Resource, path: str) -> Iterator[Resource]:
    for name in (path, ALSO):
        found = resource.get(name)
        for concept in found if isinstance(found, list) else (found,):
            if isinstance(concept, dict):
                yield concept


def _codings(concept: Resource) -> Iterator[Resource]:
    found = concept.get("coding")
    for coding in found if isinstance(found, list) else ():
        if isinstance(coding, dict) and all(isinstance(coding.get(name), str) for name in ("system", "code")):
            yield coding


def _texts(concepts: Iterable[Resource]) -> Iterator[str]:
    for concept in concepts:
        if isinstance(concept.get("text"), str):
            yield concept["text"]
        codings = concept.get("coding")
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and isinstance(coding.get("display"), str):
                yield coding["display"]


def _title(resource: Resource, triggers: tuple[Trigger, ...]) -> str:
    """What the order calls itself: its text, else a display, else what its code is called; else empty."""
    for path in dict.fromkeys(trigger.path or "code" for trigger in triggers):
        for text in _texts(_concepts(resource, path)):
            if text.strip():
                return text.strip()
    for trigger in triggers:
        for concept in _concepts(resource, trigger.path) if trigger.path else ():
            for coding in _codings(concept):
                if display := trigger.codes.get((coding["system"], coding["code"])):
                    return display
    return ""
