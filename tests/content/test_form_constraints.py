"""What the constraints of the forms say: each with answers that keep it and answers that break it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from service import fhirpath
from tests.content.form_contract import FORMS
from tests.content.test_forms import CORE, extensions, form, items

if TYPE_CHECKING:
    from tests.content import content


def constraints(name: str) -> dict[str, tuple[str, str, bool]]:
    """The constraints of a form by key: severity, expression, whether it is asked of each event or site."""
    found = {}
    for element in (form(name), *items(form(name))):
        for parts in extensions(element, CORE + "questionnaire-constraint"):
            by_url = {part["url"]: next(v for k, v in part.items() if k != "url") for part in parts}
            assert by_url["human"]
            found[by_url["key"]] = (by_url["severity"], by_url["expression"], "linkId" in element)
    return found


def answer(link: str, *values: Any) -> content.Resource:
    """An answered item: a str is a code, a Decimal or int with a unit a quantity, the rest themselves."""
    answers: list[content.Resource] = []
    for value in values:
        if isinstance(value, bool):
            answers.append({"valueBoolean": value})
        elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            answers.append({"valueDate": value})
        elif isinstance(value, str) and value[:2] == "20":
            answers.append({"valueDateTime": value})
        elif isinstance(value, str):
            answers.append({"valueCoding": {"system": "urn:any", "code": value}})
        elif link in ("temperature", "creatinine", "creatinine.baseline"):
            answers.append({"valueQuantity": {"value": value}})
        elif isinstance(value, int):
            answers.append({"valueInteger": value})
        else:
            answers.append({"valueDecimal": value})
    return {"linkId": link, "answer": answers}


def group(link: str, *children: content.Resource) -> content.Resource:
    """A group item."""
    return {"linkId": link, "item": list(children)}


def event(*children: content.Resource) -> content.Resource:
    """An adverse event."""
    return group("event", *children)


FEVER = event(answer("event.term", "fever"))
CASES: list[tuple[str, str, str, list[content.Resource], bool]] = [
    (
        "htg117-eligibility",
        "pain-absent-with-score",
        "warning",
        [answer("pain.present", False), answer("pain.score", Decimal("0.5"))],
        False,
    ),
    (
        "htg117-eligibility",
        "pain-absent-with-score",
        "warning",
        [answer("pain.present", False), answer("pain.score", Decimal(0))],
        True,
    ),
    ("htg117-eligibility", "pain-absent-with-score", "warning", [answer("pain.score", Decimal(9))], True),
    ("htg117-procedure", "multi-plane", "warning", [answer("procedure.multi-plane", False)], False),
    ("htg117-procedure", "multi-plane", "warning", [], True),
    ("htg117-procedure", "needle-gauge", "warning", [answer("procedure.needle-gauge", 13)], False),
    ("htg117-procedure", "needle-gauge", "warning", [answer("procedure.needle-gauge", 12)], True),
    (
        "htg117-procedure",
        "leak-action",
        "warning",
        [group("site", answer("leak.occurred", False), answer("leak.action", "needle-repositioned"))],
        False,
    ),
    (
        "htg117-procedure",
        "leak-action",
        "warning",
        [group("site", answer("leak.occurred", False), answer("leak.action", "none"))],
        True,
    ),
    (
        "htg117-procedure",
        "cement-radiopaque",
        "warning",
        [group("site", answer("cement.radiopaque", False))],
        False,
    ),
    ("htg117-procedure", "cement-radiopaque", "warning", [group("site")], True),
    (
        "htg117-procedure",
        "event-onset",
        "warning",
        [answer("procedure.date", "2026-05-02"), event(answer("event.onset", "2026-05-01T23:00:00Z"))],
        False,
    ),
    (
        "htg117-procedure",
        "event-onset",
        "warning",
        [answer("procedure.date", "2026-05-02"), event(answer("event.onset", "2026-05-02T01:00:00Z"))],
        True,
    ),
    (
        "htg117-procedure",
        "event-onset",
        "warning",
        [answer("procedure.date", "2026-05-02"), event(answer("event.term", "fever"))],
        True,
    ),
    ("htg117-follow-up", "event-term", "error", [event(answer("event.narrative", "x"))], False),
    (
        "htg117-follow-up",
        "event-term",
        "error",
        [event(group("event.medicine", answer("event.medicine.name", "x")))],
        False,
    ),
    (
        "htg117-follow-up",
        "event-term",
        "error",
        [event(answer("event.actuality", "actual"), group("event.device", answer("event.device.lot", "x")))],
        True,
    ),
    ("htg117-follow-up", "event-term", "error", [FEVER], True),
    (
        "htg117-follow-up",
        "event-seriousness-none",
        "error",
        [event(answer("event.seriousness", "none", "death"))],
        False,
    ),
    (
        "htg117-follow-up",
        "event-seriousness-none",
        "error",
        [event(answer("event.seriousness", "none"))],
        True,
    ),
    ("htg117-follow-up", "event-other", "warning", [event(answer("event.term", "other"))], False),
    (
        "htg117-follow-up",
        "event-other",
        "warning",
        [event(answer("event.term", "other"), answer("event.other", "x"))],
        True,
    ),
    (
        "htg117-follow-up",
        "event-fatal",
        "warning",
        [event(answer("event.outcome", "fatal"), answer("event.seriousness", "hospitalisation"))],
        False,
    ),
    (
        "htg117-follow-up",
        "event-fatal",
        "warning",
        [event(answer("event.outcome", "resolved"), answer("event.seriousness", "death"))],
        False,
    ),
    (
        "htg117-follow-up",
        "event-fatal",
        "warning",
        [event(answer("event.outcome", "fatal"), answer("event.seriousness", "death", "hospitalisation"))],
        True,
    ),
    ("htg117-follow-up", "event-fatal", "warning", [event(answer("event.outcome", "fatal"))], False),
    ("htg117-follow-up", "event-fatal", "warning", [event(answer("event.outcome", "resolved"))], True),
    (
        "htg117-follow-up",
        "died-with-measurements",
        "warning",
        [answer("follow-up.status", "died-before-follow-up"), answer("pain.score", Decimal(0))],
        False,
    ),
    (
        "htg117-follow-up",
        "died-with-measurements",
        "warning",
        [answer("follow-up.status", "died-before-follow-up")],
        True,
    ),
    (
        "htg117-follow-up",
        "died-with-measurements",
        "warning",
        [answer("follow-up.status", "seen"), answer("pain.score", Decimal(0))],
        True,
    ),
    (
        "htg117-follow-up",
        "relief-with-analgesia",
        "warning",
        [answer("pain.relief", "total"), answer("analgesia.needed", True)],
        False,
    ),
    (
        "htg117-follow-up",
        "relief-with-analgesia",
        "warning",
        [answer("pain.relief", "clear"), answer("analgesia.needed", True)],
        True,
    ),
    ("htg117-follow-up", "pain-worse-event", "warning", [answer("pain.relief", "worse"), FEVER], False),
    (
        "htg117-follow-up",
        "pain-worse-event",
        "warning",
        [answer("pain.relief", "worse"), event(answer("event.term", "pain-worse-transient"))],
        True,
    ),
    ("htg117-follow-up", "mobility-worse-event", "warning", [answer("mobility.change", "worse")], False),
    (
        "htg117-follow-up",
        "mobility-worse-event",
        "warning",
        [answer("mobility.change", "worse"), FEVER],
        True,
    ),
    ("htg117-follow-up", "fever-event", "warning", [answer("temperature", Decimal("38.0"))], False),
    ("htg117-follow-up", "fever-event", "warning", [answer("temperature", Decimal("38.0")), FEVER], True),
    ("htg117-follow-up", "fever-event", "warning", [answer("temperature", Decimal("37.9"))], True),
    (
        "htg117-follow-up",
        "creatinine-event",
        "warning",
        [answer("creatinine", 121), answer("creatinine.baseline", 120)],
        False,
    ),
    (
        "htg117-follow-up",
        "creatinine-event",
        "warning",
        [answer("creatinine", 120), answer("creatinine.baseline", 120)],
        True,
    ),
    ("htg117-follow-up", "creatinine-event", "warning", [answer("creatinine", 121)], True),
    ("htg117-follow-up", "creatinine-baseline", "warning", [answer("creatinine", 121)], False),
    ("htg117-follow-up", "creatinine-baseline", "warning", [], True),
]


@pytest.mark.parametrize(("name", "key", "severity", "answers", "holds"), CASES)
def test_a_constraint_says(
    name: str, key: str, severity: str, answers: list[content.Resource], holds: bool
) -> None:
    found, expression, inside = constraints(name)[key]
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": answers}
    places = fhirpath.compile(
        "$this" if not inside else "item.where(linkId = 'event' or linkId = 'site')"
    ).nodes(response)
    program = fhirpath.compile(expression)
    assert (found, [program(place) for place in places]) == (severity, [[holds]])


LEAST = [
    ("htg117-procedure", "cement.volume", Decimal(0)),
    ("htg117-follow-up", "temperature", Decimal(25)),
    ("htg117-follow-up", "creatinine", Decimal(0)),
    ("htg117-follow-up", "creatinine.baseline", Decimal(0)),
]


@pytest.mark.parametrize(("name", "link", "least"), LEAST)
def test_a_quantity_has_its_least_value(name: str, link: str, least: Decimal) -> None:
    severity, expression, _ = constraints(name)[f"{link.replace('.', '-')}-least"]
    program = fhirpath.compile(expression)
    items = [
        {"linkId": link, "answer": [{"valueQuantity": {"value": value}}]}
        for value in (least, least - Decimal("0.1"))
    ]
    form = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": items}
    said = [program(item) for item in fhirpath.compile("item").nodes(form)]
    assert (severity, said) == ("error", [[True], [False]])


def test_every_constraint_has_a_case_that_holds_and_one_that_does_not() -> None:
    cased = {(key, holds) for _, key, _, _, holds in CASES}
    cased |= {(f"{link.replace('.', '-')}-least", holds) for _, link, _ in LEAST for holds in (True, False)}
    keys = {key for name in FORMS for key in constraints(name)}
    assert cased == {(key, holds) for key in keys for holds in (True, False)}
