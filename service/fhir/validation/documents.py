"""A whole resource: its type, its contained resources, and the rules that every resource carries.

Source: FHIR R4 resource and references pages; invariants dom-2 to dom-6, run natively
(``tests/fhir/validation/test_native_invariants.py`` holds them to HL7's text).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from service.fhir.validation import bundles, held, profiles, questionnaires, responses, types
from service.fhir.validation.places import below, root
from service.fhir.validation.run import quoted
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run


def check_root(value: Any, run: Run) -> None:
    """Reports what is wrong with a resource that stands alone."""
    if type(value) is not dict:
        run.error("structure", f"a resource is a JSON object, not {quoted(value)}", root("Resource"))
        return
    name = value.get("resourceType")
    place = root(name if isinstance(name, str) and name in R4.resources else "Resource")
    _check(value, place, run)


def check_inner(value: Any, place: Place, name: str, index: int, run: Run) -> None:
    """Reports what is wrong with a resource inside another one (contained, or in a Bundle or Parameters)."""
    at = below(place, name, index)
    if type(value) is not dict:
        run.error("structure", f"{name} must be a resource (a JSON object), not {quoted(value)}", at)
        return
    before = (run.resource, run.place, run.container, run.contained, run.local)
    if name == "contained":
        run.local = set()
        _check(value, at, run, contained=True)
        inner, run.local = run.local, before[4]
        _check_contained(value, inner, at, run)
        run.local |= inner - {"#"}
        run.resource, run.place = before[:2]
    else:
        _check(value, at, run)
        run.resource, run.place, run.container, run.contained, run.local = before


def _check(value: dict[str, Any], place: Place, run: Run, *, contained: bool = False) -> None:
    name = value.get("resourceType")
    if not isinstance(name, str) or name not in R4.resources:
        _unknown_type(value, place, run)
        return
    run.resource, run.place = value, place
    if not contained:
        run.container, run.local = value, set()
        run.contained = _contained(value)
    if name == "Bundle":
        bundles.check_bundle(value, place, run)
    else:
        types.checker(name).check(value, place, run)
    _check_url(value, name, place, run)
    _check_claims(value, name, place, run)
    if name == "Questionnaire" and not run.odd:  # what is no JSON cannot be read as a form
        _check_form(value, place, run)
    elif name == "QuestionnaireResponse" and not run.odd:
        _check_response(value, place, run)
    if R4.is_a(name, "DomainResource"):
        _domain_resource(value, place, run, contained=contained)


def _check_url(value: dict[str, Any], name: str, place: Place, run: Run) -> None:
    """A definition's url is absolute: other resources name it by it (FHIR R4 references page §2.3.0.6)."""
    url = value.get("url")
    if type(url) is str and ":" not in url and not url.startswith("#"):
        info = R4.type(name)
        if info is not None and "url" in info.elements and info.elements["url"].types == ("uri",):
            message = (
                f"{quoted(url)} is not absolute; a definition's url is the name that others refer to it by"
            )
            run.error("value", message, below(place, "url"), "canonical")


def _check_form(value: dict[str, Any], place: Place, run: Run) -> None:
    resolve = run.find if run.resolve is not None else None
    for issue in questionnaires.check(
        value,
        resolve=resolve,
        terminology=held.concepts(run) if resolve else None,
        contained=run.contained,
    ):
        run.adopt(issue, place, "Questionnaire")


def _check_response(value: dict[str, Any], place: Place, run: Run) -> None:
    canonical = value.get("questionnaire")
    form: Any = run.questionnaire if value is run.root else None
    if form is None and type(canonical) is str:
        form = run.contained.get(canonical[1:]) if canonical.startswith("#") else run.find(canonical)
    at = below(place, "questionnaire")
    if not isinstance(form, dict) or form.get("resourceType") != "Questionnaire":
        if type(canonical) is str:
            message = f"the form {canonical[:160]} is not held here: the answers were not checked against it"
        else:
            message = "the response names no form: its answers could not be checked"
        run.warn("not-found", message, at, "form-unchecked")
        return
    resolve = run.find if run.resolve is not None else None
    terminology = held.concepts(run) if resolve else None
    for issue in responses.check(value, form, resolve=resolve, terminology=terminology, now=run.now):
        run.adopt(issue, place, "QuestionnaireResponse")


def _check_claims(value: dict[str, Any], name: str, place: Place, run: Run) -> None:
    """Checks the profiles that ``meta.profile`` claims, and for the root those that the caller asks for."""
    meta = value.get("meta")
    claimed = meta.get("profile") if type(meta) is dict else None
    wanted: list[Any] = [claim for claim in claimed if type(claim) is str] if type(claimed) is list else []
    if value is run.root:
        wanted += run.profiles
    for profile in wanted:
        if isinstance(profile, str):
            profiles.check_canonical(value, name, profile, place, run)
        elif isinstance(profile, dict) and held.is_sound(profile, "StructureDefinition"):
            profiles.check_profile(value, name, profile, place, run)
        else:
            message = (
                "a profile that was given is no sound StructureDefinition: nothing was checked against it"
            )
            run.warn("not-supported", message, place, "profile-unchecked")


def _unknown_type(value: dict[str, Any], place: Place, run: Run) -> None:
    name = value.get("resourceType")
    if name is None:
        run.error("structure", "resourceType is missing; give the resource's type, such as Patient", place)
        return
    near = get_close_matches(str(name)[:80], R4.resources, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else "; give one of R4's resource types, such as Patient"
    run.error("structure", f"{quoted(name)} is no resource type of R4{hint}", place)


def _contained(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    entries = value.get("contained")
    if not entries or type(entries) is not list:
        return {}
    return {entry["id"]: entry for entry in entries if type(entry) is dict and type(entry.get("id")) is str}


def _check_contained(value: dict[str, Any], local: set[str], place: Place, run: Run) -> None:
    """What holds of a contained resource: dom-2, dom-4, dom-5, an id, and (noted for later) dom-3."""
    if "contained" in value:
        message = "a contained resource may not contain another; move the inner one up"
        run.error("invariant", message, below(place, "contained"), "dom-2")
    meta = value.get("meta")
    if type(meta) is dict:
        if "versionId" in meta or "lastUpdated" in meta:
            message = "a contained resource has no versionId or lastUpdated of its own; leave them out"
            run.error("invariant", message, below(place, "meta"), "dom-4")
        if "security" in meta:
            message = "a contained resource has no security label of its own; label the one that contains it"
            run.error("invariant", message, below(place, "meta"), "dom-5")
    identifier = value.get("id")
    if type(identifier) is not str:
        run.error("invariant", "a contained resource needs an id to be referred to", place, "dom-3")
    elif "#" in local:
        run.local.add("#" + identifier)


def _domain_resource(value: dict[str, Any], place: Place, run: Run, *, contained: bool) -> None:
    entries = value.get("contained")
    if type(entries) is list and not contained:
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            identifier = entry.get("id") if type(entry) is dict else None
            if type(identifier) is not str:
                continue
            at = below(place, "contained", index)
            if identifier in seen:
                message = f"two contained resources have the id {quoted(identifier)}; give each its own"
                run.error("duplicate", message, at, "contained-id")
            seen.add(identifier)
            if "#" + identifier not in run.local:
                message = (
                    f"nothing in this resource refers to the contained #{identifier[:40]}; "
                    "refer to it or take it out"
                )
                run.error("invariant", message, at, "dom-3")
    if contained:
        return  # its narrative is its container's
    text = value.get("text")
    if type(text) is not dict or "div" not in text:
        run.warn(
            "invariant", "a resource should have a narrative (text.div) for people to read", place, "dom-6"
        )
