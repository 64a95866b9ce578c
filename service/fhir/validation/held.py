"""The terminology that a check can decide on: HL7's own, and what the caller's ``resolve`` brings.

A code system or value set that the caller brings is used only if its structure is sound; a broken one counts
as not held, and checking it by itself says what is wrong with it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from service.fhir.concepts import Terminology
from service.fhir.validation import types
from service.fhir.validation.places import root
from service.fhir.validation.run import Exhausted, Run
from service.fhir.validation.tables import CODE_SYSTEMS, VALUE_SETS

if TYPE_CHECKING:
    from service.fhir.concepts import CodeSystem

_KEPT = 500
_SOUND: dict[int, tuple[dict[str, Any], bool]] = {}


def concepts(run: Run) -> Terminology:
    """The terminology of a run, made once."""
    if run.terminology is None:
        run.terminology = Terminology(lambda canonical: _find(canonical, run))
    return run.terminology


def code_system(url: str, run: Run) -> CodeSystem | None:
    """The complete code system that the caller brings under a url, or None."""
    if run.resolve is None or not url:
        return None
    found = concepts(run).code_system(url)
    return found if found is not None and found.complete else None


def _find(canonical: str, run: Run) -> dict[str, Any] | None:
    found = run.find(canonical)
    if found is None:
        url = canonical.partition("|")[0]
        return _hl7_code_system(url) or _hl7_value_set(url)
    return found if is_sound(found, "CodeSystem", "ValueSet") else None


def is_sound(resource: dict[str, Any], *kinds: str) -> bool:
    """Whether a resource that the caller brings is of one of these types, and has its type's structure."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in kinds:
        return False
    known = _SOUND.get(id(resource))
    if known is not None and known[0] is resource:
        return known[1]
    trial = Run(resource)
    try:
        types.checker(kind).check(resource, root(kind), trial)
    except Exhausted:
        return False
    if len(_SOUND) >= _KEPT:
        _SOUND.clear()
    _SOUND[id(resource)] = (resource, not trial.misshapen)
    return not trial.misshapen


@lru_cache(maxsize=200)
def _hl7_code_system(url: str) -> dict[str, Any] | None:
    facts = CODE_SYSTEMS.get(url)
    if facts is None:
        return None
    parents = facts.get("parents", {})
    return {
        "resourceType": "CodeSystem",
        "url": url,
        "status": "active",
        "content": "complete",
        "caseSensitive": "anyCase" not in facts,
        "concept": [
            {
                "code": code,
                "display": display,
                "property": [{"code": "parent", "valueCode": above} for above in parents.get(code, ())],
            }
            for code, display in facts["codes"].items()
        ],
    }


@lru_cache(maxsize=200)
def _hl7_value_set(url: str) -> dict[str, Any] | None:
    facts = VALUE_SETS.get(url)
    if facts is None:
        return None
    include = [
        {"system": system}
        if codes == "*"
        else {"system": system, "concept": [{"code": code} for code in codes]}
        for system, codes in facts["systems"].items()
    ]
    include += [{"system": system} for system in facts.get("open", ())]
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": include}}
