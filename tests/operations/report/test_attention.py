"""Which reports somebody should look at, as days pass; how many stand where; references and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.safety_report import State
from service.operations.report.attention import needing_attention
from service.operations.report.drafting import draft
from service.operations.report.edits import clear
from service.operations.report.exporting import export
from service.operations.report.figures import count_reports
from service.operations.report.files import tabulate
from service.operations.report.listing import Filters, list_cases
from service.operations.report.renderings import make_renderers
from service.operations.report.steps import ask_follow_up, cancel, ready
from service.operations.report.submitting import Answer, acknowledge, submit
from tests.operations.report.conftest import CONTENT

if TYPE_CHECKING:
    from service.operations.report.cases import Case
    from tests.operations.report.conftest import House

WHO = "Ada"
FEVER: dict[str, Any] = {"event.term": "fever"}
LEAK = {"event.term": "cement-leak", "event.suspect": ["cement"]}


def made(house: House, name: str = "f-1", **answers: Any) -> Case:
    """The report of one event."""
    house.more |= {"renderers": make_renderers(CONTENT, lambda: house.now)}
    event = house.event(LEAK | answers, name=name)
    return draft(house.desk, event, WHO).cases[0]


def told(house: House, **filters: Any) -> list[tuple[str, tuple[str, ...]]]:
    found = needing_attention(house.records, Filters(**filters), house.now, 7)
    return [(one.case.id, one.reasons) for one in found]


def test_a_report_is_called_to_mind_once_it_has_gone_unreported_for_the_days(house: House) -> None:
    case = made(house)
    assert told(house) == []
    house.later(days=6, hours=23)
    assert told(house) == []
    house.later(hours=1)
    assert told(house) == [(case.id, ("It has gone unreported for 7 days",))]
    ready(house.desk, case.id, WHO)
    export(house.desk, case.id, WHO)
    assert told(house) == [(case.id, ("It has gone unreported for 7 days",))]
    assert told(house, states=("draft",)) == []
    assert told(house, branches=("medicine",)) == []


def test_what_was_submitted_is_called_to_mind_when_nothing_comes_back(house: House) -> None:
    case = made(house)
    house.later(days=30)
    ready(house.desk, case.id, WHO)
    export(house.desk, case.id, WHO)
    submit(house.desk, case.id, WHO, by_hand=True)
    assert told(house) == []
    house.later(days=8)
    assert told(house) == [(case.id, ("It was submitted 8 days ago, and nothing has come back",))]
    acknowledge(house.desk, case.id, Answer(True), "the gateway")
    house.later(days=800)
    assert told(house) == []


def test_rejected_due_and_flagged_reports_need_attention_at_once(house: House) -> None:
    rejected, due, flagged = (made(house, f"f-{n}") for n in (1, 2, 3))
    for case in (rejected, due, flagged):
        ready(house.desk, case.id, WHO)
        export(house.desk, case.id, WHO)
        submit(house.desk, case.id, WHO, by_hand=True)
    acknowledge(house.desk, rejected.id, Answer(False, ("D.1: missing",)), "the gateway")
    ask_follow_up(house.desk, due.id, WHO, "the device was examined")
    acknowledge(house.desk, flagged.id, Answer(True), "the gateway")
    acknowledge(house.desk, flagged.id, Answer(False), "the gateway")
    assert dict(told(house)) == {
        rejected.id: (
            "The recipient rejected it: it is not reported until it is corrected and submitted again",
        ),
        due.id: ("A follow-up is due: the device was examined",),
        flagged.id: (
            "To be looked into: an answer came while the report was acknowledged: rejected by the recipient",
        ),
    }


def test_a_report_that_a_text_holds_back_needs_attention_at_once_until_somebody_has_dealt_with_it(
    house: House,
) -> None:
    case = made(house, **{"event.narrative": "Told by her son on 07700 900123, NHS number 999 000 0018"})
    why = ("It is held back: what stands at narrative may identify the patient",)
    assert told(house) == [(case.id, why)]
    assert count_reports(house.records, house.now).held == 1
    clear(house.desk, case.id, "narrative", WHO, "invented numbers")
    assert told(house) == []
    assert count_reports(house.records, house.now).held == 0
    other = made(house, "f-2", **{"event.narrative": "NHS number 999 000 0018"})
    cancel(house.desk, other.id, WHO, "entered twice")
    assert told(house) == []


def test_what_is_not_decided_needs_attention_and_what_is_cancelled_or_local_does_not(house: House) -> None:
    unknown = made(house, "f-1", **FEVER, **{"event.suspect": ["not-known"]})
    local = made(house, "f-2", **FEVER, **{"event.suspect": ["procedure-itself"]})
    gone = made(house, "f-3")
    cancel(house.desk, gone.id, WHO, "entered twice")
    house.later(days=90)
    assert [(case, reasons[0][:45]) for case, reasons in told(house)] == [
        (unknown.id, "It is not known whether this is to be reporte")
    ]
    assert local.report.branch == "local"


def test_reports_are_counted_by_state_with_the_age_of_the_oldest(house: House) -> None:
    assert count_reports(house.records, house.now).oldest == 0
    first = made(house)
    house.later(days=3)
    made(house, "f-2")
    made(house, "f-3", **FEVER, **{"event.suspect": ["not-known"]})
    cancel(house.desk, made(house, "f-4").id, WHO, "entered twice")
    found = count_reports(house.records, house.now)
    assert found.states == dict.fromkeys(map(str, State), 0) | {"draft": 2, "cancelled": 1}
    assert (found.undecided, found.oldest) == (1, 3)
    cancel(house.desk, first.id, WHO, "entered twice")
    assert count_reports(house.records, house.now).oldest == 0


def test_a_list_is_newest_first_and_filtered_by_age(house: House) -> None:
    old = made(house)
    house.later(days=10)
    new = made(house, "f-2")

    def listed(filters: Filters) -> list[str]:
        return [one.id for one in list_cases(house.records, filters, house.now).cases]

    assert listed(Filters()) == [new.id, old.id]
    assert listed(Filters(days=10)) == [old.id]
    assert listed(Filters(days=11)) == []
    assert listed(Filters(event=new.event)) == [new.id]
    assert listed(Filters(form=old.report.form)) == [old.id]


def test_a_table_has_a_row_for_each_event(house: House) -> None:
    reports = [made(house, f"f-{n}").report for n in (1, 2)]
    lines = tabulate(CONTENT, reports).decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["case", reports[0].case, reports[1].case]
