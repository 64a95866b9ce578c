"""A hook's call becomes advice: which orders, what is needed of the record, and the cards.

    advisor = Advisor(content, plans, terms, records)
    question = advisor.question(call, service, client)     # pure: the orders, the parts of the record
    kept = advisor.kept(question)                          # reads the records kept here (a thread's work)
    queries = advisor.queries(question, kept)              # what to read from the EHR; DataUnavailable: 412
    advice = advisor.advice(question, kept, gathered, showing)   # pure: cards and system actions

``cards`` are empty only where no order is about the guidance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.cds.cards import order_card, uncoded_card
from service.cds.discovery import render_discovery, services_of
from service.cds.faces import Faces
from service.cds.facts import explained, facts_of, prefill
from service.cds.hooks import HOOKS
from service.cds.model import Assessed, Order, Showing, Unread
from service.cds.orders import judged, orders_of, read_triggers, types_of
from service.cds.patients import identifiers_of
from service.cds.prefetch import PATIENT, Part, filled, parts_of
from service.cds.record import read_record, unsatisfied
from service.cds.suggestions import system_actions
from service.domain.errors import ContentFault, DataUnavailable
from service.domain.issues import error
from service.fhir.plans import Application, Circumstances, apply, assess, canonical
from service.operations.advise.recorded import Chosen, Kept, choose, find_kept, whose_here
from service.operations.populate import source_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.cds.model import Call, Service
    from service.cds.orders import Trigger
    from service.cds.record import Record
    from service.fhir.plans import Plan
    from service.fhirpath import Terminology as Terms
    from service.operations.assess import Plans
    from service.operations.clients import Client
    from service.operations.ports import Content, Records

Resource = dict[str, Any]
_NEEDED = ("variable", "order")
NO_ACCESS = "it was not sent, and the call gives no access to the EHR's FHIR server"
NOT_THIS_PATIENT = "the call's access is restricted to another patient"


@dataclass(frozen=True, slots=True)
class Question:
    """A call with what it asks about. ``parts`` are those of the record that the answer may need.

    ``orders`` are those that the plan is about; ``pending`` are parts that hold a dispatched order each.
    """

    call: Call
    service: Service
    client: Client | None
    definition: Resource
    plan: Plan | None
    orders: tuple[Order, ...] = ()
    parts: tuple[Part, ...] = ()
    pending: tuple[Part, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the answer needs nothing of the record: no order is to be assessed."""
        return not self.pending and not any(order.coded for order in self.orders)

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """The parts of the record, and the orders that are part of it."""
        return (*self.parts, *self.pending)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a call is answered."""

    cards: tuple[Resource, ...] = ()
    system_actions: tuple[Resource, ...] = ()


class Advisor:
    """Answers the calls of the services that the published plans give. Safe from any thread."""

    def __init__(self, content: Content, plans: Plans, terms: Terms, records: Records) -> None:
        """Reads the plans' triggers; ContentFault where one cannot be served."""
        self._content, self._plans, self._terms, self._records = content, plans, terms, records
        definitions = [one.resource for one in content.of_type("PlanDefinition")]
        self.services: tuple[Service, ...] = services_of(definitions, content.resolve)
        self.discovery: Resource = render_discovery(self.services)
        self.faces = Faces(content)
        self._source_url = source_url(content)
        self._definitions: dict[str, Resource] = {}
        self._triggers: dict[str, tuple[Trigger, ...]] = {}
        self._parts: dict[str, tuple[Part, ...]] = {}
        for service in self.services:
            definition = next(one for one in definitions if canonical(one) == service.plan)
            if HOOKS[service.hook].orders and plans.of(definition) is None:
                raise ContentFault(f"the plan {service.plan} is triggered by orders and has no criteria")
            self._definitions[service.id] = definition
            self._triggers[service.id] = read_triggers(definition, service.hook, content.terminology, terms)
            self._parts[service.id] = parts_of(definition, service.hook, content.resolve)

    def question(self, call: Call, service: Service, client: Client | None) -> Question:
        """What the call asks: the orders that the plan is about, and the parts of the record it rests on."""
        definition = self._definitions[service.id]
        plan, parts = self._plans.of(definition), self._parts[service.id]
        triggers = self._triggers[service.id]
        if not HOOKS[service.hook].orders:
            return Question(call, service, client, definition, plan, (), parts)
        candidates: dict[str, Resource] = judged(call)
        pending: tuple[Part, ...] = ()
        if service.hook == "order-dispatch":
            candidates, pending = _dispatched(call, triggers)
        orders = orders_of(candidates, call, triggers, self._terms)
        return Question(call, service, client, definition, plan, orders, parts, pending)

    def kept(self, question: Question, gathered: Mapping[str, Resource | Unread] | None = None) -> Kept:
        """The patient's completed forms that are kept here; it asks the store, and never raises for it."""
        plan = question.plan
        if plan is None or question.is_settled:
            return Kept()
        patient = read_record(_of_kind(question.parts, PATIENT), question.call, gathered).patient
        whose = whose_here(question.call, question.client, identifiers_of(patient))
        return find_kept(plan.form, whose, self._records)

    def queries(self, question: Question, kept: Kept) -> dict[str, str]:
        """What to read from the EHR, by key. DataUnavailable names the keys that nothing can give."""
        call = question.call
        if question.is_settled:
            return {}
        record = read_record(question.parts, call)
        known = self._choose(question, record, kept).form is not None
        wanted = [
            part
            for part in unsatisfied(question.all_parts, call)
            if part.kind != "orders" and not (known and part.kind == "variable")
        ]
        if _is_open(call):
            return {part.key: filled(part.template, call) for part in wanted}
        lacking = [part for part in wanted if part.kind in _NEEDED and part.key not in call.prefetch]
        if lacking:
            raise _unavailable(lacking, NOT_THIS_PATIENT if call.access else NO_ACCESS)
        return {}

    def advice(
        self, question: Question, kept: Kept, gathered: Mapping[str, Resource | Unread], showing: Showing
    ) -> Advice:
        """The cards, one for each order; DataUnavailable where the EHR denies what the answer rests on."""
        record = read_record(question.all_parts, question.call, gathered)
        orders = (*question.orders, *self._read_orders(question, record))
        cards: list[Resource] = []
        actions: list[Resource] = []
        plan = question.plan
        if plan is None:
            return Advice()
        assessed = applied = None
        for order in orders:
            if not order.coded:
                cards.append(uncoded_card(order, plan, showing, self.faces))
                continue
            if assessed is None or applied is None:
                assessed = self._assess(question, plan, record, kept, showing)
                applied = apply(self._application(plan, assessed, showing))
            cards.append(order_card(order, assessed, applied, showing, self.faces))
        if assessed is not None:
            actions = system_actions(assessed, [card["summary"] for card in cards], showing)
        return Advice(tuple(cards), tuple(actions))

    def _assess(
        self, question: Question, plan: Plan, record: Record, kept: Kept, showing: Showing
    ) -> Assessed:
        """The patient's completed form assessed, else one that is filled from the record now."""
        chosen = self._choose(question, record, kept)
        forms = {part.key for part in question.parts if part.kind == "form"}
        absent = tuple(Unread(one.key, one.title, NO_ACCESS) for one in record.absent if one.key in forms)
        unread = tuple(one for one in record.unread.values() if not one.key.startswith("order:"))
        if chosen.form is not None:
            said = (*chosen.remarks, *absent, *(one for one in unread if one.key in forms))
            return Assessed(plan, assess(plan, chosen.form), chosen.form, True, chosen.source, (), said)
        denied = [part for part in question.parts if part.kind in _NEEDED and _is_denied(record, part)]
        if denied:
            raise _unavailable(denied, "the EHR does not permit it to be read")
        questionnaire = self._content.resolve(plan.form) or {}
        made = prefill(
            questionnaire, question.parts, record, _moment(showing.now), self._terms, self._source_url
        )
        evaluation = explained(assess(plan, made.response), made.unknown, unread)
        said = (*unread, *record.remarks, *chosen.remarks, *absent)
        return Assessed(plan, evaluation, made.response, False, None, facts_of(questionnaire, made), said)

    def _choose(self, question: Question, record: Record, kept: Kept) -> Chosen:
        plan = question.plan
        part = next((one for one in question.parts if one.kind == "form"), None)
        if plan is None or part is None:
            return Chosen()
        return choose(part, question.call, question.client, record, kept, self._content)

    def _application(self, plan: Plan, assessed: Assessed, showing: Showing) -> Application:
        practitioner = showing.user if "Practitioner/" in showing.user else None
        circumstances = Circumstances(showing.patient, showing.now, showing.encounter, practitioner, None)
        return Application(
            plan.resource, plan, assessed.form, circumstances, {}, self._content.resolve, assessed.evaluation
        )

    def _read_orders(self, question: Question, record: Record) -> tuple[Order, ...]:
        """The dispatched orders that were read from the EHR, or why they could not be."""
        found: list[Order] = []
        for part in question.pending:
            reference = part.template
            if record.data.get(part.key):
                read = {reference: record.data[part.key][0]}
                triggers = self._triggers[question.service.id]
                found += orders_of(read, question.call, triggers, self._terms)
                continue
            if _is_denied(record, part):
                raise _unavailable([part], "the EHR does not permit it to be read")
            unread = record.unread.get(part.key)
            why = unread.reason if unread else "it is not this patient's"
            said = f"This order could not be read ({why}), so whether the guidance is about it is not known."
            found.append(Order(reference, {}, reference, coded=False, reason=said))
        return tuple(found)


def _dispatched(call: Call, triggers: tuple[Trigger, ...]) -> tuple[dict[str, Resource], tuple[Part, ...]]:
    """The dispatched orders that the prefetch holds, and those to be read, of the triggers' types."""
    types = types_of(triggers)
    held = {f"{one.get('resourceType')}/{one.get('id')}": one for one in _resources(call.prefetch)}
    found: dict[str, Resource] = {}
    pending: list[Part] = []
    for reference in call.chosen:
        local = "/".join(reference.partition("/_history/")[0].split("/")[-2:])
        if None not in types and local.partition("/")[0] not in types:
            continue
        if local in held:
            found[local] = held[local]
        else:
            pending.append(Part(f"order:{local}", local, f"The dispatched order {local}", "order"))
    return found, tuple(pending)


def _resources(prefetch: Mapping[str, Resource | None]) -> Iterable[Resource]:
    for value in prefetch.values():
        if value is None:
            continue
        yield value
        entries = value.get("entry", []) if value.get("resourceType") == "Bundle" else []
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                yield entry["resource"]


def _of_kind(parts: Iterable[Part], kind: str) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.kind == kind)


def _is_open(call: Call) -> bool:
    """Whether the call opens the EHR's FHIR server for its own patient."""
    return call.access is not None and call.access.patient in (None, call.patient)


def _is_denied(record: Record, part: Part) -> bool:
    return part.key in record.unread and record.unread[part.key].denied


def _unavailable(parts: Iterable[Part], why: str) -> DataUnavailable:
    issues = [
        error("incomplete", f"{part.title}: {why}; send the prefetch key '{part.key}' ({part.template})",
              f"prefetch.`{part.key}`")
        for part in parts
    ]  # fmt: skip
    return DataUnavailable("what the answer rests on could not be had", issues=issues)


def _moment(now: str) -> datetime:
    return datetime.fromisoformat(now)
