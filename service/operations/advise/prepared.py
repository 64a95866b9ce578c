"""What a service answers with, read from its plan once: nothing of it depends on a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.cds.attention import read_attention
from service.cds.hooks import HOOKS
from service.cds.prefetch import parts_of
from service.cds.triggers import read_triggers
from service.domain.errors import ContentFault

if TYPE_CHECKING:
    from service.cds.attention import Attention
    from service.cds.model import Service
    from service.cds.prefetch import Part
    from service.cds.triggers import Trigger
    from service.fhir.plans import Plan
    from service.fhirpath import Terminology as Terms
    from service.operations.assess import Plans
    from service.operations.ports import Content

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A service with its plan. ``plan`` is None where the plan has no criteria.

    ``about_orders``: the hook is about orders; else it is about all that is recorded of the patient.
    ``parts`` are those of the record that an answer may need, the patient's own first; ``forms`` those of
    them that hold completed forms. ``questionnaire`` is the form that the plan's criteria are asked of.
    """

    service: Service
    definition: Resource
    plan: Plan | None
    about_orders: bool
    triggers: tuple[Trigger, ...]
    attention: Attention | None
    parts: tuple[Part, ...]
    forms: tuple[Part, ...]
    questionnaire: Resource


def prepare(service: Service, definition: Resource, plans: Plans, content: Content, terms: Terms) -> Prepared:
    """The service with all that its plan says. ContentFault where the plan cannot be served."""
    plan, about_orders = plans.of(definition), HOOKS[service.hook].orders
    if about_orders and plan is None:
        raise ContentFault(f"the plan {service.plan} is triggered by orders and has no criteria")
    parts = parts_of(definition, service.hook, content.resolve)
    return Prepared(
        service,
        definition,
        plan,
        about_orders,
        read_triggers(definition, service.hook, content.terminology, terms),
        read_attention(definition),
        parts,
        tuple(part for part in parts if part.kind == "form"),
        (content.resolve(plan.form) if plan else None) or {},
    )
