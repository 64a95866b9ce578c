"""A hook's call becomes advice: which orders, what is needed of the record, and the cards.

    advisor = Advisor(content, plans, terms, records)
    question = advisor.question(call, service, client)     # pure: the orders, the parts of the record
    kept = advisor.kept(question)                          # reads the records kept here (a thread's work)
    queries = advisor.queries(question, kept)              # what to read from the EHR; DataUnavailable: 412
    advice = advisor.advice(question, kept, gathered, showing)   # pure: cards and system actions

``cards`` are empty only where no order is about the guidance.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.cds.cards import order_card, uncoded_card
from service.cds.discovery import render_discovery, services_of
from service.cds.faces import Faces
from service.cds.facts import explained, facts_of, prefill
from service.cds.model import Assessed, Order, Showing, Unread
from service.cds.orders import judged, orders_of, require_readable
from service.cds.patients import Whose, identifiers_of, servers_of
from service.cds.prefetch import ORDERS, PATIENT, filled
from service.cds.record import read_record
from service.cds.reminders import attention_cards
from service.cds.suggestions import system_actions
from service.fhir.plans import Application, Circumstances, assess, canonical, propose
from service.fhirpath.records import record
from service.operations.advise.asked import DENIED, Question, dispatched, is_denied, unavailable
from service.operations.advise.attending import find_unreported, gather
from service.operations.advise.prepared import prepare
from service.operations.advise.recorded import (
    Chosen,
    Kept,
    choose,
    find_kept,
    names_of,
    tells_of_forms,
    whose_here,
)
from service.operations.populate import source_url
from service.operations.searching.dates import LOCAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.cds.model import Call, Service
    from service.cds.prefetch import Part
    from service.cds.record import Record
    from service.fhir.plans import Plan
    from service.fhirpath import Terminology as Terms
    from service.operations.assess import Plans
    from service.operations.clients import Client
    from service.operations.ports import Content, Records

Resource = dict[str, Any]


@record
class Advice:
    """What a call is answered."""

    cards: tuple[Resource, ...] = ()
    system_actions: tuple[Resource, ...] = ()


class Advisor:
    """Answers the calls of the services that the published plans give. Safe from any thread."""

    def __init__(self, content: Content, plans: Plans, terms: Terms, records: Records) -> None:
        """Reads the plans' triggers; ContentFault where one cannot be served."""
        self._content, self._terms, self._records = content, terms, records
        definitions = [one.resource for one in content.of_type("PlanDefinition")]
        self.services: tuple[Service, ...] = services_of(definitions, content.resolve)
        self.discovery: Resource = render_discovery(self.services)
        self.faces = Faces(content)
        self._source_url = source_url(content)
        held = {canonical(one): one for one in reversed(definitions)}
        self._prepared = {
            (one.id, one.hook): prepare(one, held[one.plan], plans, content, terms) for one in self.services
        }

    def question(self, call: Call, service: Service, client: Client | None) -> Question:
        """What the call asks: the orders that the plan is about, and the parts of the record it rests on.

        Invalid where a draft order cannot be read.
        """
        prepared = self._prepared[service.id, service.hook]
        whose = Whose(call.patient, servers_of(call, client.servers if client else ()))
        candidates = judged(call)
        pending: tuple[Part, ...] = ()
        elsewhere: tuple[Order, ...] = ()
        if service.hook == "order-dispatch":
            named = dispatched(call, prepared.triggers, whose)
            candidates, pending, elsewhere = named.held, named.pending, named.elsewhere
        orders = (*orders_of(candidates, whose, prepared.triggers, self._terms), *elsewhere)
        require_readable(orders, call, prepared.triggers)
        sent = read_record(prepared.parts, call, whose)
        return Question(call, client, prepared, whose, sent, orders, pending)

    def kept(self, question: Question, gathered: Mapping[str, Resource | Unread] | None = None) -> Kept:
        """What is kept here of the patient; it asks the store, and never raises for it."""
        if question.is_settled:
            return Kept()
        whose = _whose_here(question, gathered)
        kept = find_kept([part.form for part in question.forms], whose, self._records)
        if question.about_orders or kept.fault:
            return kept
        events, fault = find_unreported(whose, self._records)
        return Kept(kept.forms, events, fault)

    def names(
        self, question: Question, gathered: Mapping[str, Resource | Unread] | None = None
    ) -> tuple[str, ...]:
        """The names of the patient: where no record's subject goes by one, ``kept`` finds nothing."""
        return names_of(_whose_here(question, gathered))

    def queries(self, question: Question, kept: Kept) -> dict[str, str]:
        """What to read from the EHR, by key. DataUnavailable names the keys that nothing can give."""
        call = question.call
        wanted = [part for part in question.unsatisfied if part.kind != ORDERS]
        if question.is_settled:
            wanted = [part for part in wanted if part in question.pending]
        if not wanted:
            return {}
        if question.about_orders and self._choose(question, question.sent, kept).form is not None:
            wanted = [part for part in wanted if part.kind not in ("variable", PATIENT) or not part.needed]
        if question.is_open:
            return {part.key: filled(part.template, call) for part in wanted}
        lacking = [part for part in wanted if part.needed and part.key not in call.prefetch]
        if lacking:
            raise unavailable(lacking, question.why_closed)
        return {}

    def advice(
        self, question: Question, kept: Kept, gathered: Mapping[str, Resource | Unread], showing: Showing
    ) -> Advice:
        """The cards. DataUnavailable where the EHR denies, or nothing can give, what the answer rests on."""
        record = question.sent
        if gathered or question.pending:
            record = read_record(question.all_parts, question.call, question.whose, gathered)
        if question.about_orders:
            return self._advise_orders(question, kept, record, showing)
        attention = question.prepared.attention
        if attention is None:
            return Advice()
        base = showing.base
        found = gather(question, record, kept, _moment(showing.now), base, self._content)
        cards = attention_cards(attention, found, question.call.hook, showing, self.faces)
        return Advice(tuple(cards))

    def _advise_orders(self, question: Question, kept: Kept, record: Record, showing: Showing) -> Advice:
        """A card for each order; the coded ones share one assessment of the patient."""
        plan = question.plan
        if plan is None:
            return Advice()
        cards: list[Resource] = []
        assessed = applied = None
        for order in (*question.orders, *self._read_orders(question, record)):
            if not order.coded:
                cards.append(uncoded_card(order, plan, showing, self.faces))
                continue
            if assessed is None or applied is None:
                assessed = self._assess(question, plan, record, kept, showing)
                applied = propose(self._application(plan, assessed, showing))
            cards.append(order_card(order, assessed, applied, showing, self.faces))
        if assessed is None:
            return Advice(tuple(cards))
        said = [card["summary"] for card in cards]
        return Advice(tuple(cards), tuple(system_actions(assessed, said, showing)))

    def _assess(
        self, question: Question, plan: Plan, record: Record, kept: Kept, showing: Showing
    ) -> Assessed:
        """The patient's completed form assessed, else one that is filled from the record now."""
        chosen = self._choose(question, record, kept)
        why = question.why_closed
        absent = [Unread(one.key, one.title, why) for one in record.absent if one.kind == "form"]
        unread = [one for one in record.unread.values() if not one.key.startswith("order:")]
        if chosen.form is not None:
            forms = {part.key for part in question.forms}
            said = (*chosen.remarks, *absent, *(one for one in unread if one.key in forms))
            source = _leading(chosen, showing.base)
            return Assessed(plan, assess(plan, chosen.form), chosen.form, True, source, (), said)
        denied = (
            [part for part in question.parts if part.needed and is_denied(record, part)] if unread else []
        )
        if denied:
            raise unavailable(denied, DENIED)
        questionnaire = question.prepared.questionnaire
        made = prefill(
            questionnaire, question.parts, record, _moment(showing.now), self._terms, self._source_url
        )
        evaluation = explained(assess(plan, made.response), made.unknown, unread)
        said = (*unread, *record.remarks, *chosen.remarks, *absent)
        return Assessed(plan, evaluation, made.response, False, None, facts_of(questionnaire, made), said)

    def _choose(self, question: Question, record: Record, kept: Kept) -> Chosen:
        if not question.forms or not tells_of_forms(question.forms[0], record, kept):
            return Chosen()
        here = whose_here(question.call, question.client, {})
        return choose(question.forms[0], here, record, kept, self._content)

    def _application(self, plan: Plan, assessed: Assessed, showing: Showing) -> Application:
        circumstances = Circumstances(
            showing.patient, showing.now, showing.encounter, showing.user or None, None
        )
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
                found += orders_of(read, question.whose, question.prepared.triggers, self._terms)
                continue
            if part.needed and is_denied(record, part):
                raise unavailable([part], DENIED)
            unread = record.unread.get(part.key)
            why = unread.reason if unread else "it is not this patient's"
            if part in record.absent:
                why = question.why_closed
            said = f"This order could not be read ({why}), so whether the guidance is about it is not known."
            found.append(Order(reference, {}, reference, coded=False, reason=said))
        return tuple(found)


def _whose_here(question: Question, gathered: Mapping[str, Resource | Unread] | None) -> Whose:
    """How records kept here name the patient, as far as the call and what was read from the EHR tell."""
    patient = question.sent.patient
    if gathered:
        parts = [part for part in question.parts if part.kind == PATIENT]
        patient = read_record(parts, question.call, question.whose, gathered).patient
    return whose_here(question.call, question.client, identifiers_of(patient))


def _leading(chosen: Chosen, base: str) -> str | None:
    """The reference by which the client finds the form: on its own server, or the address of it here."""
    id_ = (chosen.form or {}).get("id")
    reference = f"QuestionnaireResponse/{id_}" if id_ else None
    return f"{base}/fhir/{reference}" if reference and chosen.here else reference


def _moment(now: str) -> datetime:
    """The instant in the zone whose days rules count in."""
    return datetime.fromisoformat(now).astimezone(LOCAL)
