"""The answers of FHIR's terminology operations, as Parameters and expanded ValueSets.

R4: ``ValueSet/$expand``, ``CodeSystem/$lookup``, ``$validate-code`` of both, ``ConceptMap/$translate``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.errors import NotFound, TooLarge, Unprocessable
from service.fhir.concepts.maps import translate
from service.fhir.concepts.value_sets import NotEnumerable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.fhir.concepts import Member, Terminology

Resource = dict[str, Any]
MOST = 1_000


def expand_value_set(
    terminology: Terminology,
    value_set: Resource,
    *,
    now: str,
    identifier: str,
    text: str | None = None,
    offset: int = 0,
    count: int | None = None,
    designations: bool = False,
    active_only: bool = False,
) -> Resource:
    """The value set with its expansion. ``text`` keeps codes whose code, display or designation holds it.

    ``now`` and ``identifier`` become the expansion's timestamp and identifier. Unprocessable where codes
    are not held here; TooLarge (issue code ``too-costly``) past 1,000 codes without ``count``.
    """
    try:
        members = list(terminology.expand(value_set).values())
    except NotEnumerable as fault:
        raise Unprocessable(f"the value set cannot be expanded here: {fault}") from None
    if active_only:
        members = [member for member in members if not member.inactive]
    if text:
        members = [member for member in members if _says(member, text.casefold())]
    if count is None and len(members) > MOST:
        raise TooLarge(f"the expansion has {len(members)} codes; ask for pages with count and offset")
    page = members[offset : None if count is None else offset + count]
    used: list[Resource] = []
    if text:
        used.append({"name": "filter", "valueString": text})
    if offset:
        used.append({"name": "offset", "valueInteger": offset})
    if count is not None:
        used.append({"name": "count", "valueInteger": count})
    expansion: Resource = {"identifier": identifier, "timestamp": now, "total": len(members)}
    if offset or count is not None:
        expansion["offset"] = offset
    if used:
        expansion["parameter"] = used
    if page:
        expansion["contains"] = [_contained(member, designations) for member in page]
    kept = {key: value for key, value in value_set.items() if key not in ("expansion", "text")}
    return kept | {"expansion": expansion}


def _says(member: Member, text: str) -> bool:
    words = [member.code, member.display or "", *(entry.get("value", "") for entry in member.designations)]
    return any(text in word.casefold() for word in words)


def _contained(member: Member, designations: bool) -> Resource:
    entry: Resource = {"system": member.system}
    if member.inactive:
        entry["inactive"] = True
    if member.version:
        entry["version"] = member.version
    entry["code"] = member.code
    if member.display:
        entry["display"] = member.display
    if designations and member.designations:
        entry["designation"] = list(member.designations)
    return entry


def look_up(terminology: Terminology, system: str, code: str, properties: Iterable[str] = ()) -> Resource:
    """What a code system says of a code, as Parameters; NotFound where system or code is not held here."""
    held = terminology.code_system(system)
    if held is None:
        raise NotFound(f"the code system {system} is not held here")
    concept = held.find(code)
    if concept is None:
        raise NotFound(f"'{code[:60]}' is not a code of {system}")
    wanted = frozenset(properties)
    parameters: list[Resource] = [{"name": "name", "valueString": held.resource.get("name", held.url)}]
    if held.version:
        parameters.append({"name": "version", "valueString": held.version})
    parameters.append({"name": "display", "valueString": concept.display or concept.code})
    for entry in concept.designations:
        parts = [
            {"name": name, kind: entry[name]}
            for name, kind in (("language", "valueCode"), ("use", "valueCoding"), ("value", "valueString"))
            if name in entry
        ]
        parameters.append({"name": "designation", "part": parts})
    if concept.definition and (not wanted or "definition" in wanted):
        parameters.append(_property("definition", {"valueString": concept.definition}))
    for entry in concept.properties:
        if not wanted or entry["code"] in wanted:
            value = {key: given for key, given in entry.items() if key.startswith("value")}
            parameters.append(_property(entry["code"], value))
    if not wanted or "parent" in wanted:
        unlisted = concept.parents.difference(concept.values("parent"))
        parameters += [_property("parent", {"valueCode": parent}) for parent in sorted(unlisted)]
    return {"resourceType": "Parameters", "parameter": parameters}


def _property(code: str, value: Resource) -> Resource:
    return {
        "name": "property",
        "part": [{"name": "code", "valueCode": code}, {"name": "value", **value}],
    }


def validate_code(
    terminology: Terminology, held: Resource, codings: Iterable[Resource], *, inferred: bool = False
) -> Resource:
    """Whether one of the codings is in the ValueSet or CodeSystem ``held``, as Parameters.

    Each coding has ``code`` and mostly ``system`` and ``display``. ``inferred`` allows a code without its
    system. A display that is not one of the code's own makes the result false, with the right one given.
    Unprocessable where membership cannot be decided with the codes held here.
    """
    name = held.get("url") or held.get("id", "it")
    told = "it has no code"
    undecided = False
    for coding in codings:
        system, code = coding.get("system"), coding.get("code", "")
        if held["resourceType"] == "CodeSystem":
            system = system or held.get("url")
            index = terminology.code_system(held.get("url", ""))
            truth = None if index is None else system == index.url and index.find(code) is not None
        elif system is None and not inferred:
            told = "the code has no system; give one, or ask with inferSystem"
            continue
        else:
            truth = terminology.contains(held, system, code)
        if truth:
            return _verdict(terminology, system, coding)
        undecided = undecided or truth is None
        told = f"'{code[:60]}' of {system or 'any system'} is not in {name}"
    if undecided:
        raise Unprocessable(f"whether the code is in {name} cannot be decided with the codes held here")
    return _result(False, message=told)


def _verdict(terminology: Terminology, system: str | None, coding: Resource) -> Resource:
    code, display = coding.get("code", ""), coding.get("display")
    index = terminology.code_system(system) if system else None
    concept = index.find(code) if index else None
    if concept is None:
        return _result(True)
    said = {concept.display, *(entry.get("value") for entry in concept.designations)}
    if display is not None and display not in said:
        told = f"'{display[:60]}' is not a display of {code}; it is '{concept.display}'"
        return _result(False, message=told, display=concept.display)
    return _result(True, display=concept.display)


def _result(result: bool, *, message: str | None = None, display: str | None = None) -> Resource:
    parameters: list[Resource] = [{"name": "result", "valueBoolean": result}]
    if message:
        parameters.append({"name": "message", "valueString": message})
    if display:
        parameters.append({"name": "display", "valueString": display})
    return {"resourceType": "Parameters", "parameter": parameters}


def translate_code(
    maps: Iterable[Resource],
    codings: Iterable[Resource],
    *,
    target: str | None = None,
    reverse: bool = False,
) -> Resource:
    """The translations of the codings in the maps, as Parameters. ``result`` is true if one is usable."""
    held = list(maps)
    matches = [
        match
        for coding in codings
        for concept_map in held
        for match in translate(
            concept_map, coding.get("system"), coding.get("code", ""), target=target, reverse=reverse
        )
    ]
    result = any(match.usable for match in matches)
    parameters: list[Resource] = [{"name": "result", "valueBoolean": result}]
    if not result:
        parameters.append({"name": "message", "valueString": "no map held here translates this code"})
    for match in matches:
        part: list[Resource] = [{"name": "equivalence", "valueCode": match.equivalence}]
        if match.code is not None:
            coding = {"system": match.system, "version": match.version, "code": match.code}
            coding["display"] = match.display
            given = {key: value for key, value in coding.items() if value}
            part.append({"name": "concept", "valueCoding": given})
        if match.source:
            part.append({"name": "source", "valueUri": match.source})
        parameters.append({"name": "match", "part": part})
    return {"resourceType": "Parameters", "parameter": parameters}
