"""Cards of the published content, made the way a call makes them, for the tests of this folder."""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING, Any

from service.adapters.content import load
from service.cds.cards import order_card
from service.cds.faces import Faces
from service.cds.model import Assessed, Order, Showing
from service.fhir.plans import Application, Circumstances, assess, propose, read_plan
from tests.content import logic

if TYPE_CHECKING:
    from service.adapters.content import Folder
    from service.cds.model import Fact, Unread
    from service.fhir.plans import Plan
    from tests.content.logic import Answers

Resource = dict[str, Any]
PATIENT, USER, ENCOUNTER = "Patient/9990000018", "Practitioner/d1", "Encounter/e1"
NOW = "2026-07-02T09:00:00+01:00"
ORDER = Order("ServiceRequest/1", {"resourceType": "ServiceRequest"}, "Percutaneous cementoplasty", True)
GUIDANCE = "https://www.nice.org.uk/guidance/htg117"


@cache
def content() -> Folder:
    """The published content."""
    return load()


@cache
def faces() -> Faces:
    """The faces of its plans."""
    return Faces(content())


@cache
def plan() -> Plan:
    """The plan of patient selection."""
    published = content().read("PlanDefinition", "htg117-patient-selection")
    assert published is not None
    found = read_plan(published.resource)
    assert found is not None
    return found


@cache
def _order() -> list[str]:
    """The linkIds of the form in its order."""
    published = content().read("Questionnaire", "htg117-eligibility")
    assert published is not None
    return [item["linkId"] for item in published.resource["item"]]


def showing(**changed: Any) -> Showing:
    """What a hook with user and encounter asks for; ids count from 1."""
    numbers = itertools.count(1)
    given: dict[str, Any] = {
        "new_id": lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
        "now": NOW,
        "base": "https://htg117.example",
        "patient": PATIENT,
        "user": USER,
        "encounter": ENCOUNTER,
    }
    return Showing(**(given | changed))


def assessed(
    answers: Answers,
    *,
    recorded: bool = True,
    facts: tuple[Fact, ...] = (),
    unread: tuple[Unread, ...] = (),
) -> Assessed:
    """A form with these answers, assessed; one that is not recorded has no id."""
    form = logic.response(answers)
    if "item" in form:
        form |= {"item": sorted(form["item"], key=lambda item: _order().index(item["linkId"]))}
    source = f"QuestionnaireResponse/{form['id']}"
    if not recorded:
        form = {name: value for name, value in form.items() if name != "id"}
    found = assess(plan(), form)
    return Assessed(plan(), found, form, recorded, source if recorded else None, facts, unread)


def application(of: Assessed, shown: Showing) -> Application:
    """The plan to be applied to the form."""
    circumstances = Circumstances(shown.patient, shown.now, shown.encounter, shown.user)
    return Application(plan().resource, plan(), of.form, circumstances, {}, content().resolve, of.evaluation)


def card(of: Assessed, order: Order = ORDER, shown: Showing | None = None) -> Resource:
    """The order's card."""
    shown = shown or showing()
    return order_card(order, of, propose(application(of, shown)), shown, faces())
