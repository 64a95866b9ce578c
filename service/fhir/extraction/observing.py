"""Observation-based extraction, run: the answers of a form made into Observations (SDC 4.0).

An answer is an Observation of its own, or a component of the one above it. Nothing answered, nothing made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.extraction.places import allocate, item_node
from service.fhir.extraction.running import SHAPES
from service.fhir.extraction.values import is_instant
from service.fhir.forms.elements import extension_value
from service.fhir.forms.references import type_of_reference
from service.fhirpath.nodes import Node

if TYPE_CHECKING:
    from service.fhir.extraction.entries import Entries
    from service.fhir.extraction.observations import ItemObservations, Observations
    from service.fhir.extraction.places import Place
    from service.fhir.extraction.running import Run

Json = dict[str, Any]
_IS_SUBJECT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse-isSubject"
_ANSWER = SHAPES.shape("QuestionnaireResponse.item.answer")
_NOBODY: Json = {}
"""The subject of a group whose isSubject question is not answered: somebody, but it is not told who."""
_PERFORMERS = frozenset(
    {"Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient", "RelatedPerson"}
)
_PARTS = frozenset(
    (
        *("MedicationAdministration", "MedicationDispense", "MedicationStatement"),
        *("Procedure", "Immunization", "ImagingStudy"),
    )
)


class _Draft:
    """One Observation while what is below it is still to come."""

    __slots__ = ("above", "components", "full_url", "key", "members", "place", "plan", "resource", "site")

    def __init__(self, plan: ItemObservations, resource: Json, place: str, key: str) -> None:
        self.plan = plan
        self.resource = resource
        self.place = place
        self.key = key
        self.site: Place | None = None
        self.full_url: str | None = None
        self.above: _Draft | None = None
        self.components: list[Json] = []
        self.members: list[_Draft] = []

    @property
    def stands(self) -> bool:
        """Whether it says anything: a group without components or members does not."""
        return not self.plan.group or bool(self.components) or any(member.stands for member in self.members)


def extract_observations(observations: Observations, entries: Entries, root: Place) -> None:
    """Adds the form's Observations."""
    walk = _Walk(entries, root, tied=observations.tied)
    above = root if observations.placed else None
    walk.level(
        observations.root,
        entries.run.response,
        above,
        root.node,
        "QuestionnaireResponse",
        "",
        walk.subject,
        None,
    )
    walk.emit()


class _Walk:
    def __init__(self, entries: Entries, root: Place, *, tied: bool) -> None:
        self.entries = entries
        self.root = root
        self.tied = tied
        self.run = entries.run
        response = self.run.response
        self.front, self.tail, self.end = _head(self.run)
        found = response.get("subject")
        self.subject: Json | None = _outward(self.run, found, "subject") if found else None
        self.drafts: list[_Draft] = []

    def level(
        self,
        plan: ItemObservations,
        source: Json,
        above: Place | None,
        holder: Node,
        place: str,
        key: str,
        subject: Json | None,
        owner: _Draft | None,
    ) -> None:
        """The items of one level: of the response, of a group, or of one answer."""
        items = source.get("item")
        if not isinstance(items, list):
            return
        subject = self._subject(plan, items, subject)
        known = plan.children
        seen: dict[str, int] = {}
        for index, entry in enumerate(items):
            if not isinstance(entry, dict):
                continue
            link_id = entry.get("linkId")
            below = known.get(link_id) if isinstance(link_id, str) else None
            if below is None or not isinstance(link_id, str):
                continue
            number = seen.get(link_id, 0)
            seen[link_id] = number + 1
            name = f"{key}/{link_id}[{number}]" if key else f"{link_id}[{number}]"
            node = item_node(entry, holder, index) if above is not None else holder
            here = above.moved(node, name, f"{place}.item[{index}]") if above is not None else None
            if here is not None:
                here = allocate(self.run, here, below.ids, below.source)
            self._item(below, entry, here, node, f"{place}.item[{index}]", name, subject, owner)

    def _item(
        self,
        plan: ItemObservations,
        entry: Json,
        here: Place | None,
        node: Node,
        place: str,
        key: str,
        subject: Json | None,
        owner: _Draft | None,
    ) -> None:
        if plan.group:
            if plan.relation is not None and self.tied and "item" in entry:
                owner = self._draft(plan, {}, here, place, key, subject, owner)
            self.level(plan, entry, here, node, place, key, subject, owner)
            return
        answers = entry.get("answer")
        if not isinstance(answers, list):
            return
        several = len(answers) > 1
        for number, answer in enumerate(answers):
            if not isinstance(answer, dict):
                continue
            at = f"{place}.answer[{number}]"
            name = f"{key}.{number}" if several else key
            mine = owner
            if plan.relation is not None:
                value = self._value(plan, answer, at)
                if value is not None and plan.relation == "component" and owner is not None:
                    owner.components.append({"code": plan.fixed["code"], **value})
                elif value is not None:
                    one = here
                    if several and here is not None:
                        alone = item_node({**entry, "answer": [answer]}, node.parent, None)
                        one = allocate(self.run, here.moved(alone, name, at), plan.ids, plan.source)
                    mine = self._draft(plan, value, one, at, name, subject, owner)
            if plan.children and "item" in answer:
                holder = Node(answer, _ANSWER, None, node, "answer", number)
                self.level(plan, answer, here, holder, at, name, subject, mine)

    def _draft(
        self,
        plan: ItemObservations,
        value: Json,
        here: Place | None,
        place: str,
        key: str,
        subject: Json | None,
        owner: _Draft | None,
    ) -> _Draft | None:
        """A new Observation that others may be tied to; None where none are, or it is about nobody."""
        if subject is _NOBODY:
            said = (
                "this part of the form is about another subject, and the form does not say who; not extracted"
            )
            self.run.warn("required", said, place)
            return None
        key = f"{key}#observationExtract"
        about = {"subject": subject} if subject is not None else {}
        if plan.rule.formulas and here is not None:
            full_url = self.entries.full_url(plan.rule, key, here.site)
        else:
            full_url = self.run.new_id(key)
        resource = {**self.front, **plan.fixed, **about, **self.tail, **value}
        if not self.tied:
            # No Observation waits for what is below it: it is added at once.
            if self.end:
                resource["derivedFrom"] = self.end
            self.entries.add(resource, plan.rule, (here or self.root).site, place, key, full_url)
            return None
        draft = _Draft(plan, resource, place, key)
        draft.site = here
        draft.full_url = full_url
        if owner is not None and plan.relation == "member":
            owner.members.append(draft)
        elif owner is not None and plan.relation == "derived":
            draft.above = owner
        self.drafts.append(draft)
        return draft

    def _subject(self, plan: ItemObservations, items: list[Any], subject: Json | None) -> Json | None:
        """Whom a level is about: the answer of its isSubject item, else whom the level above is about."""
        asked = bool(plan.subjects)
        for entry in items:
            if not isinstance(entry, dict):
                continue
            flagged = "extension" in entry and extension_value(entry, _IS_SUBJECT) is True
            if not flagged and not (asked and entry.get("linkId") in plan.subjects):
                continue
            asked = True
            answers = entry.get("answer")
            for answer in answers if isinstance(answers, list) else ():
                found = answer.get("valueReference") if isinstance(answer, dict) else None
                if isinstance(found, dict) and found:
                    return _outward(self.run, found, "subject") or _NOBODY
        return _NOBODY if asked else subject

    def _value(self, plan: ItemObservations, answer: Json, place: str) -> Json | None:
        """The answer as Observation.value[x] or component.value[x]; None where there is none to take."""
        for name, value in answer.items():
            if name.startswith("value"):
                if name == "valueQuantity" and "value" not in value and "_value" not in value:
                    self.run.warn("incomplete", "the quantity has no number; it is not extracted", place)
                    return None
                made = _observed(name, value, plan.unit)
                if made is None:
                    self.run.warn(
                        "not-supported",
                        f"an Observation cannot hold {name}; the answer is not extracted",
                        place,
                    )
                    return None
                beside = answer.get("_" + name)
                if isinstance(beside, dict):
                    kind = next(iter(made))
                    if kind == "valueQuantity":
                        made = {kind: {**made[kind], "_value": beside}}
                    else:
                        made = {**made, "_" + kind: beside}
                return made
        return None

    def emit(self) -> None:
        """Adds the drafts that say something, in the form's order."""
        for draft in self.drafts:
            if draft.plan.group and not draft.stands:
                continue
            resource = draft.resource
            members = _references(draft.members) if draft.members else []
            if members:
                resource["hasMember"] = members
            sources = self.end
            if draft.above is not None:
                sources = [*sources, *_references([draft.above])]
            if sources:
                resource["derivedFrom"] = sources
            if draft.components:
                resource["component"] = draft.components
            site = (draft.site or self.root).site
            self.entries.add(resource, draft.plan.rule, site, draft.place, draft.key, draft.full_url)


def _references(drafts: list[_Draft]) -> list[Json]:
    """References to those of the Observations that are extracted and have a fullUrl to be called by."""
    return [{"reference": one.full_url} for one in drafts if one.full_url is not None and one.stands]


def _observed(name: str, value: Any, unit: Json | None) -> Json | None:
    """An answer's value as an Observation holds it in R4."""
    if name in ("valueInteger", "valueDecimal"):
        if unit is not None:
            return {"valueQuantity": {"value": value, **unit}}
        return {"valueInteger": value} if name == "valueInteger" else {"valueQuantity": {"value": value}}
    if name == "valueCoding":
        return {"valueCodeableConcept": {"coding": [value]}} if isinstance(value, dict) else None
    if name in ("valueBoolean", "valueString", "valueTime", "valueDateTime", "valueQuantity"):
        return {name: value}
    if name == "valueDate":
        return {"valueDateTime": value}
    return {"valueString": value} if name == "valueUri" else None


def _head(run: Run) -> tuple[Json, Json, list[Json]]:
    """What all Observations of a form share: before the code, after the subject, and derivedFrom."""
    response = run.response
    front: Json = {"resourceType": "Observation"}
    for name, allowed in (("basedOn", None), ("partOf", _PARTS)):
        found = [
            one
            for entry in response.get(name) or ()
            if (one := _outward(run, entry, name)) is not None and _is_of(run, one, allowed, name)
        ]
        if found:
            front[name] = found
    front["status"] = "final"
    tail: Json = {}
    encounter = _outward(run, response.get("encounter"), "encounter")
    if encounter is not None and type_of_reference(encounter, response) in (None, "Encounter"):
        tail["encounter"] = encounter
    authored = response.get("authored")
    if isinstance(authored, str):
        tail["effectiveDateTime"] = authored
        if is_instant(authored):
            tail["issued"] = authored
    author = _outward(run, response.get("author"), "author")
    if author is not None and _is_of(run, author, _PERFORMERS, "author"):
        tail["performer"] = [author]
    return front, tail, _derived(response)


def _derived(response: Json) -> list[Json]:
    """The reference to the form, by its id or else its identifier."""
    id_, identifier = response.get("id"), response.get("identifier")
    if isinstance(id_, str):
        return [{"reference": f"QuestionnaireResponse/{id_}"}]
    if isinstance(identifier, dict):
        return [{"type": "QuestionnaireResponse", "identifier": identifier}]
    return []


def _outward(run: Run, reference: Any, name: str) -> Json | None:
    """A reference of the form as a resource outside it can carry it: not to what the form contains."""
    if not isinstance(reference, dict):
        return None
    if str(reference.get("reference", "")).startswith("#"):
        said = f"{name} points into the form itself, which an Observation cannot; it is left out"
        run.warn("not-supported", said, f"QuestionnaireResponse.{name}")
        return None
    return reference


def _is_of(run: Run, reference: Json, allowed: frozenset[str] | None, name: str) -> bool:
    kind = type_of_reference(reference, run.response)
    if allowed is None or kind is None or kind in allowed:
        return True
    said = f"an Observation cannot carry the form's {name} where that is a {kind}; it is left out"
    run.warn("not-supported", said, f"QuestionnaireResponse.{name}")
    return False
