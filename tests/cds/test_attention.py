"""Rules of attention: read, run over records, and shown; the schedule against a second writing of it."""

from __future__ import annotations

import calendar
import copy
import itertools
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.cds.attention import ANSWERED, Gathered, Kept, attend, forms_of, read_attention
from service.cds.faces import Faces
from service.cds.model import Unread
from service.cds.reminders import MOST_SUGGESTIONS, attention_cards
from service.cds.tables import units
from service.domain.errors import ContentFault
from service.fhir import validation
from service.fhir.concepts import Terminology
from tests.cases.test_attention import ATTENTION, BASE, event, follow_up, form
from tests.cds import shown
from tests.cds.test_cards import created, nodes
from tests.cds.test_tables import RENDERER
from tests.cds.test_tables import texts as hostile

if TYPE_CHECKING:
    from service.cds.attention import Attention

Resource = dict[str, Any]
LONDON = ZoneInfo("Europe/London")
MIDDLE = date(2026, 7, 1)
TOY = "https://toy.example.org/fhir"


def at(day: date, hour: int = 10) -> datetime:
    """An hour of a day in London."""
    return datetime.combine(day, time(hour), LONDON)


def cards(gathered: Gathered, hook: str = "patient-view", **changed: Any) -> list[Resource]:
    """The cards of the published rules."""
    assert ATTENTION is not None
    return attention_cards(ATTENTION, gathered, hook, shown.showing(**changed), shown.faces())


def procedure(said: str, number: int = 0) -> Kept:
    """A procedure's record with its date."""
    return form("procedure", number, said, [])


# --- the schedule, written a second time


def month_after(day: date) -> date:
    """The same day of the next month, or its last."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def expected(done: date, seen: list[date], ended: bool, today: date) -> str:
    """The id of the rule that speaks of a procedure with a date, on a day that is not before it."""

    def since(days: int) -> bool:
        return any(one >= done + timedelta(days=days) for one in seen)

    month = month_after(done)
    late = month + timedelta(days=8)
    steps = [
        (done + timedelta(days=3), "follow-up-72-hours-due", 2),
        (done + timedelta(days=6), "follow-up-72-hours-overdue", 2),
        (done + timedelta(days=7), "follow-up-1-week-due", 5),
        (done + timedelta(days=11), "follow-up-1-week-overdue", 5),
        (month, "follow-up-1-month-due", 21),
        (late, "follow-up-1-month-overdue" if since(0) else "no-follow-up", 21),
    ]
    begun = [(name, days) for start, name, days in steps if today >= start]
    if not begun or ended:
        return "nothing-due"
    name, days = begun[-1]
    return "nothing-due" if since(days) else name


days_near = st.integers(0, 60).map(lambda number: MIDDLE + timedelta(days=number))


@given(
    st.integers(0, 400).map(lambda number: date(2026, 1, 1) + timedelta(days=number)),
    st.lists(st.integers(-3, 50), max_size=4),
    st.booleans(),
    st.integers(0, 60),
)
@settings(max_examples=250, deadline=None)
@example(date(2026, 1, 31), [], False, 28)
@example(date(2026, 1, 31), [4], False, 36)
@example(date(2024, 2, 29), [], False, 29)
def test_the_schedule_is_that_of_the_plan(done: date, seen: list[int], ended: bool, later: int) -> None:
    """Whatever the dates, one rule speaks of a procedure, and it is the one that the schedule names."""
    assert ATTENTION is not None
    days = [done + timedelta(days=one) for one in seen]
    follow_ups = [follow_up(at_, day.isoformat()) for at_, day in enumerate(days)]
    if ended:
        follow_ups.append(follow_up(99, f"{done + timedelta(days=1)} lost"))
        days.append(done + timedelta(days=1))
    today = done + timedelta(days=later)
    gathered = Gathered((procedure(done.isoformat()), *follow_ups), (), at(today))
    found = [matter.rule.id for matter in attend(ATTENTION, gathered, "patient-view")]
    assert found == [expected(done, days, ended, today)]


# --- what is recorded


def test_the_day_is_that_of_the_clock_that_is_handed_in() -> None:
    """Just after midnight in London it is the next day, whatever the hour elsewhere."""
    record = (procedure("2026-07-01"),)
    after = datetime(2026, 7, 3, 23, 30, tzinfo=ZoneInfo("UTC"))
    assert cards(Gathered(record, (), after.astimezone(LONDON)))[0]["summary"].startswith(
        "HTG117: follow-up at 72 hours is due"
    )
    assert cards(Gathered(record, (), after))[0]["summary"].startswith("HTG117: no follow-up is due")


def compared(forms: tuple[Kept, ...]) -> list[Kept]:
    """The forms that count, told by comparing each with all those before it."""
    seen: list[Any] = []
    found = []
    for one in sorted(forms, key=lambda one: str(one.resource.get("authored", "")), reverse=True):
        kept = one.resource
        keys: list[tuple[Any, ...]] = [
            ("said", kept["questionnaire"], kept.get("authored"), kept.get("item"))
        ]
        keys += [("named", kept["questionnaire"], kept["identifier"])] if kept.get("identifier") else []
        if not any(key in seen for key in keys):
            found.append(one)
        seen += keys
    return [one for one in found if one.resource["status"] in ANSWERED]


written = st.builds(
    lambda kind, authored, answer, identifier: Kept(
        {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": f"{BASE}/Questionnaire/htg117-{kind}",
            "status": "completed",
        }
        | ({"authored": authored} if authored else {})
        | ({"item": [{"linkId": "a", "answer": answer}]} if answer else {})
        | ({"identifier": identifier} if identifier else {})
    ),
    st.sampled_from(["procedure", "follow-up"]),
    st.sampled_from([None, "2026-07-01", "2026-07-02"]),
    st.sampled_from([None, [{"valueInteger": 1}], [{"valueBoolean": True}], [{"valueString": "1"}]]),
    st.sampled_from([None, {"value": "1"}, {"value": "2", "system": "s"}, {"system": "s", "value": "2"}]),
)


@given(st.lists(written, max_size=9))
def test_which_forms_count_is_what_comparing_each_with_each_tells(forms: list[Kept]) -> None:
    assert ATTENTION is not None
    given_ = tuple(forms)
    found = forms_of(ATTENTION, Gathered(given_, (), at(MIDDLE)))
    assert [id(one) for one in found] == [id(one) for one in compared(given_)]


def test_what_rules_are_given_is_made_once_and_not_for_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made for each form anew, five hundred forms of a patient kept every other call waiting."""
    assert ATTENTION is not None
    made: list[int] = []

    def counted(value: Any) -> list[Any]:
        made.append(len(value))
        return items_of(value)

    items_of = fhirpath.items_of
    monkeypatch.setattr(fhirpath, "items_of", counted)
    forms = tuple(follow_up(number, f"2026-06-{1 + number:02}") for number in range(28))
    attend(ATTENTION, Gathered((procedure("2026-06-01"), *forms), (), at(MIDDLE)), "patient-view")
    assert sum(made) == 29


def test_a_form_here_and_in_the_ehr_counts_once() -> None:
    """It says the same in both; a form that nobody completed does not count at all."""
    one = procedure("2026-07-01")
    other = Kept(
        dict(one.resource) | {"id": "elsewhere"}, "https://htg117.example/fhir/QuestionnaireResponse/e"
    )
    draft = Kept(dict(one.resource) | {"id": "d", "status": "in-progress", "authored": "2026-07-02"}, None)
    (card,) = cards(Gathered((one, other, draft), (), at(date(2026, 7, 5))))
    assert card["summary"] == "HTG117: follow-up at 72 hours is due (procedure of 2026-07-01)"
    assert card["detail"].count("| HTG117 procedure record |") == 1
    assert cards(Gathered((draft,), (), at(date(2026, 7, 5)))) == []


def test_of_an_amended_form_the_newest_version_counts() -> None:
    """Its identifier tells that it is the same form, whoever keeps it."""
    own = {"identifier": {"system": "https://ehr.example.org/forms", "value": "procedure-1"}}
    first = Kept(procedure("2026-07-20").resource | own, None)
    later = {"status": "amended", "authored": "2026-07-21T09:00:00+01:00"}
    second = Kept(procedure("2026-07-01").resource | own | later, None)
    for forms in ((first, second), (second, first)):
        (card,) = cards(Gathered(forms, (), at(date(2026, 7, 22))))
        assert card["summary"] == "HTG117: follow-up at 1 week is overdue (procedure of 2026-07-01)"


def test_what_was_read_is_listed_with_its_date_and_place() -> None:
    """A link where it is kept here, a reference where the EHR keeps it."""
    here = Kept(follow_up(1, "2026-07-02").resource, "https://htg117.example/fhir/QuestionnaireResponse/f1")
    (card,) = cards(Gathered((procedure("2026-07-01"), here), (), at(date(2026, 7, 5))))
    assert card["detail"].splitlines()[6:] == [
        "**What was read**",
        "",
        "| Record | Date | Source |",
        "| --- | --- | --- |",
        "| HTG117 procedure record | 2026-07-01 10:00 (+01:00) | QuestionnaireResponse/procedure-0 |",
        (
            "| HTG117 follow-up record | 2026-07-01 10:00 (+01:00) | "
            "[QuestionnaireResponse/f1](https://htg117.example/fhir/QuestionnaireResponse/f1) |"
        ),
        "",
        "What is proposed is the professional's to choose. Nothing is preselected.",
    ]


def test_the_report_of_an_event_kept_here_leads_to_it() -> None:
    """The Task's focus is where the event lies, which the EHR does not keep."""
    (card,) = cards(Gathered((), (event(7, "Fever on 2026-07-03"),), at(date(2026, 7, 4))))
    (task,) = created(card)
    assert task["focus"] == {"reference": "https://htg117.example/fhir/AdverseEvent/event-7"}
    assert [one["url"] for one in card["links"]] == [shown.GUIDANCE, "https://yellowcard.mhra.gov.uk"]


def test_a_form_application_takes_the_place_of_a_new_form() -> None:
    """A link for each form that is asked for; of a record that must be mended, to that record."""
    app = "https://forms.example/launch"
    due = Gathered((procedure("2026-07-01"),), (), at(date(2026, 7, 5)))
    (card,) = cards(due, form_app=app)
    assert [one["resourceType"] for one in created(card)] == ["Task"]
    assert card["links"][1] == {
        "label": "Open the form: HTG117 follow-up record",
        "url": app,
        "type": "smart",
        "appContext": f'{{"questionnaire": "{BASE}/Questionnaire/htg117-follow-up|2006.1.0"}}',
    }
    (mend,) = cards(Gathered((procedure("undated"),), (), at(date(2026, 7, 5))), form_app=app)
    assert mend["links"][1]["appContext"] == (
        f'{{"questionnaire": "{BASE}/Questionnaire/htg117-procedure|2006.1.0", '
        '"questionnaireResponse": "QuestionnaireResponse/procedure-0"}'
    )


def test_many_events_are_one_card_with_an_end() -> None:
    """All are listed, and no more suggestions than a clinician can look through."""
    events = tuple(event(number, f"Fever on 2026-07-{number + 1:02d}") for number in range(25))
    (card,) = cards(Gathered((), events, at(date(2026, 8, 1))))
    assert card["summary"] == "HTG117: an adverse event without a Yellow Card report (25)"
    assert len(card["suggestions"]) == MOST_SUGGESTIONS
    assert card["detail"].count("| HTG117: no Yellow Card report of Fever") == 25


@given(
    st.lists(st.one_of(days_near.map(str), st.sampled_from(["undated", "2026-07", "2027"])), max_size=3),
    st.lists(st.one_of(days_near.map(str), st.sampled_from(["undated", "2026"])), max_size=3),
    st.lists(hostile, max_size=2),
    days_near,
    st.sampled_from(["patient-view", "encounter-discharge"]),
    st.sampled_from([(), ("htg117-procedure",), ("htg117-follow-up",), ("unreported",)]),
    st.sampled_from([None, "https://forms.example/launch"]),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.requirement(
    "CDS Service Response: elements are neither null nor empty",
    "Card Attributes: a summary of under 140 characters",
    "Card Attributes: selectionBehavior accompanies suggestions, and is any or at-most-one",
)
def test_every_card_keeps_to_cds_hooks(
    done: list[str],
    seen: list[str],
    events: list[str],
    today: date,
    hook: str,
    lost: tuple[str, ...],
    app: str | None,
) -> None:
    """No null, nothing empty, short summaries; what is created is sound and of this patient."""
    unread = tuple(Unread(key, "Forms", "it did not answer") for key in lost)
    adverse = tuple(
        Kept({"resourceType": "AdverseEvent", "id": str(number), "event": {"text": text or "x"}}, None)
        for number, text in enumerate(events)
    )
    forms = [procedure(said, number) for number, said in enumerate(done)]
    forms += [follow_up(number, said) for number, said in enumerate(seen)]
    found = cards(Gathered(tuple(forms), adverse, at(today), unread), hook, form_app=app)
    assert bool(found) == bool(forms or adverse or unread)
    assert [node for node in nodes(found) if node in (None, "", {})] == []
    assert [node for node in nodes(found[:]) if node == []] == ([] if found else [[]])
    for card in found:
        assert units(card["summary"]) < 140
        assert card["indicator"] in ("info", "warning")
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert not any(token.type.startswith("html") for token in RENDERER.parse(card["detail"]))
        for resource in created(card):
            issues = validation.check(resource, resolve=shown.content().resolve)
            assert [str(issue) for issue in issues if issue.fails] == []
            assert resource.get("for", resource.get("subject")) == {"reference": shown.PATIENT}
    if unread and found:
        assert all("Could not be read" in card["detail"] for card in found)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["coding", "system", "code", "start", "text", "display"]), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["id", "code", "performedDateTime", "performedPeriod"]), anything))
@settings(max_examples=150, deadline=None)
@example({"code": "text", "performedDateTime": 5})
@example(
    {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "431312000"}]}, "performedPeriod": 1}
)
def test_what_an_ehr_sends_beside_forms_may_be_anything(found: Resource) -> None:
    """A procedure that is no FHIR makes no error, and nothing else unknown."""
    odd = Kept({"resourceType": "Procedure"} | found, None)
    made = cards(Gathered((procedure("2026-07-01"),), (), at(date(2026, 7, 2)), (), (odd,)))
    assert "HTG117: no follow-up is due now (procedure of 2026-07-01)" in [one["summary"] for one in made]
    assert [node for node in nodes(made) if node in (None, "", [], {})] == []


def test_what_could_not_be_read_is_never_taken_for_absent() -> None:
    """No rule that rests on the follow-ups holds while they are unread; a rule that does not still does."""
    unread = (Unread("htg117-follow-up", "Follow-ups", "the server answered 500"),)
    forms = (procedure("2026-07-01"),)
    found = cards(Gathered(forms, (), at(date(2026, 8, 20)), unread))
    assert [(card["indicator"], card["summary"]) for card in found] == [
        (
            "info",
            "HTG117: a procedure without any follow-up: not known, part of the record could not be read",
        )
    ]
    (discharge, *_) = cards(Gathered(forms, (), at(date(2026, 7, 1)), unread), "encounter-discharge")
    assert discharge["summary"].startswith("HTG117: follow-up at 72 hours, 1 week and 1 month")


# --- any guidance, from data alone


class Toy:
    """The content of a toy guidance: one plan, one form, one activity."""

    def __init__(self, rules: list[Resource]) -> None:
        """Takes the rules."""
        self.plan: Resource = {
            "resourceType": "PlanDefinition",
            "id": "toy",
            "url": f"{TOY}/PlanDefinition/toy",
            "title": "Toy guidance",
            "action": [
                {
                    "id": "attention",
                    "title": "What a plant needs",
                    "extension": [{"url": f"{TOY}/StructureDefinition/plan-role", "valueCode": "attention"}],
                    "trigger": [{"type": "named-event", "name": "patient-view"}],
                    "input": [
                        {
                            "id": "waterings",
                            "type": "QuestionnaireResponse",
                            "codeFilter": [
                                {"path": "questionnaire", "code": [{"code": f"{TOY}/Questionnaire/watering"}]}
                            ],
                        },
                        {"id": "pests", "type": "AdverseEvent"},
                    ],
                    "action": rules,
                }
            ],
        }

    @property
    def terminology(self) -> Terminology:
        """No codes."""
        return Terminology(self.resolve)

    def resolve(self, canonical: str) -> Resource | None:
        """The form."""
        form = {"resourceType": "Questionnaire", "url": f"{TOY}/Questionnaire/watering", "title": "Watering"}
        return form if canonical.split("|", maxsplit=1)[0] == form["url"] else None


def toy_rule(condition: str, **more: Any) -> Resource:
    """A rule over waterings."""
    return {
        "id": "dry",
        "title": "The plant is dry",
        "description": "Water it.",
        "priority": "stat",
        "documentation": [{"type": "citation", "label": "1", "display": "Toy guidance, paragraph 1"}],
        "condition": [
            {
                "kind": "applicability",
                "expression": {"language": "text/fhirpath", "expression": condition},
            }
        ],
    } | more


def watering(day: str) -> Kept:
    """A watering on a day."""
    item = {"linkId": "day", "answer": [{"valueDate": day}]}
    made = {"resourceType": "QuestionnaireResponse", "questionnaire": f"{TOY}/Questionnaire/watering"}
    return Kept(made | {"status": "completed", "authored": day, "item": [item]}, "QuestionnaireResponse/w")


@cache
def toy(condition: str) -> tuple[Attention, Faces]:
    """The toy guidance with one rule."""
    content = Toy([toy_rule(condition)])
    attention = read_attention(content.plan)
    assert attention is not None
    return attention, Faces(content)


def toy_cards(condition: str) -> list[Resource]:
    """The cards of a toy rule over one watering, a week ago."""
    attention, faces = toy(condition)
    gathered = Gathered((watering("2026-07-01"),), (), at(date(2026, 7, 8)))
    return attention_cards(attention, gathered, "patient-view", shown.showing(), faces)


def test_another_guidance_has_its_cards_from_data_alone() -> None:
    """Without topic, override reasons or a link, as its plan has none."""
    assert toy_cards("%resource.item.answer.value + 7 days <= %today") == [
        {
            "uuid": "00000000-0000-4000-8000-000000000001",
            "summary": "The plant is dry",
            "detail": (
                "**The plant is dry**\n\nWater it.\n\nParagraphs: 1\n\n**What was read**\n\n"
                "| Record | Date | Source |\n| --- | --- | --- |\n"
                "| Watering | 2026-07-01 | QuestionnaireResponse/w |"
            ),
            "indicator": "critical",
            "source": {"label": "Toy guidance", "icon": "https://htg117.example/icon.png"},
        }
    ]
    assert toy_cards("%resource.item.answer.value + 8 days <= %today") == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{}", "The plant is dry: not known"),
        ("'wet'", "The plant is dry: not known"),
        (
            "%waterings.select(true | false).single()",
            "The plant is dry: not known, the rule could not be evaluated on this form",
        ),
    ],
)
def test_a_rule_that_comes_to_nothing_is_not_known(condition: str, said: str) -> None:
    """Never no: empty, another result and a failure are said."""
    (card,) = toy_cards(condition)
    assert (card["indicator"], card["summary"]) == ("info", said)


def test_every_fault_of_the_rules_is_found_at_once() -> None:
    """At start, not at the first patient."""
    broken = [
        toy_rule("%nobody.exists()", id="a"),
        toy_rule("((", id="b"),
        toy_rule("true", id="c", documentation=[]),
        toy_rule("true", id="d") | {"condition": []},
        toy_rule("true", id="e", title=""),
    ]
    with pytest.raises(ContentFault) as raised:
        read_attention(Toy(broken).plan)
    assert [issue.expression.split("'")[1] for issue in raised.value.issues] == ["a", "b", "c", "d", "e"]
    without = copy.deepcopy(Toy([toy_rule("true")]).plan)
    del without["action"][0]["input"]
    with pytest.raises(ContentFault, match="the plan toy cannot be run"):
        read_attention(without)
    assert read_attention({"resourceType": "PlanDefinition", "action": [{"id": "x"}]}) is None


def recorded(count: int, code: str) -> Gathered:
    """A record of so many procedures with a code."""
    coding = {"system": "http://snomed.info/sct", "code": code}
    made = (
        {
            "resourceType": "Procedure",
            "id": f"p{number}",
            "status": "completed",
            "code": {"coding": [coding]},
            "performedDateTime": "2026-06-20",
        }
        for number in range(count)
    )
    return Gathered((), (), at(MIDDLE), (), tuple(Kept(one, f"Procedure/{one['id']}") for one in made))


@pytest.mark.parametrize("code", ["80146002", "431312000"])
def test_the_work_on_a_long_record_grows_as_the_record_does(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, given_to = fhirpath.Program.__call__, [0]

    def spy(program: fhirpath.Program, resource: Any, **rest: Any) -> Any:
        held = rest.get("variables", {}).values()
        given_to[0] += sum(len(one) for one in held if isinstance(one, list))
        return run(program, resource, **rest)

    monkeypatch.setattr(fhirpath.Program, "__call__", spy)

    def work(count: int) -> int:
        given_to[0] = 0
        cards(recorded(count, code))
        return given_to[0]

    assert work(200) <= 10 * work(20) + 1000


def test_no_more_drafts_are_made_than_are_shown() -> None:
    made = []
    for count in (20, 200):
        numbers = itertools.count(1)
        new_id = partial(next, map("00000000-0000-4000-8000-{:012d}".format, numbers))
        (card,) = cards(recorded(count, "431312000"), new_id=new_id)
        assert len(card["suggestions"]) == MOST_SUGGESTIONS
        made.append(next(numbers))
    assert made[0] == made[1]
