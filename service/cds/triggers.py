"""The triggers of a plan, read: which orders it is about, by type, codes and a condition.

A plan's trigger names a type of order, a value set of codes and, where a code alone is not enough, a
condition over the order (R4 TriggerDefinition).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.cds.prefetch import triggers
from service.cds.spellings import alike
from service.domain.errors import ContentFault
from service.fhir.concepts import NotEnumerable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.cds.spellings import Alike
    from service.fhir.concepts import Terminology

Resource = dict[str, Any]
_WORD = re.compile(r"\w+")


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


def types_of(triggers: Iterable[Trigger]) -> frozenset[str | None]:
    """The types of order that the triggers name; None among them means every type."""
    return frozenset(trigger.type for trigger in triggers)


def holds(
    condition: fhirpath.Program | None, resource: Resource, terms: fhirpath.Terminology | None
) -> bool | None:
    """Whether the condition is true of the order; None where it cannot be evaluated."""
    if condition is None:
        return True
    try:
        return condition.among(fhirpath.framed(resource, terminology=terms)) == [True]
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
        if holds(condition, alone, terms):
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
