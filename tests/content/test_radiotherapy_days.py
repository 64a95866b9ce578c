"""Which day of radiotherapy it is, in London: the two proposals that time decides, against two judges.

The proposals' conditions ask first whether `authored` is past the midnight at both of London's offsets, so
that summer time is worked out for one hour of a day only. They must mean what the rule spelled out means
(``docs/decisions/0003-rules-as-data.md``), and what the time zone database says.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service import fhirpath
from tests.content import content
from tests.content.logic import Answers, assessment_day, latest_day, response

PROPOSALS = ("reassess-after-radiotherapy", "update-radiotherapy-answer")
STATUS = "treatment.radiotherapy"
LAST = "treatment.radiotherapy.last-fraction"

LATEST = (
    "iif(length() = 7, ($this & '-01').toDate() + 1 month - 1 day, "
    "($this & '-12-31').substring(0, 10).toDate())"
)
SUMMER = (
    "substring(5) > '03-' & (31 - (substring(0, 4).toInteger() * 5 div 4 + 4) mod 7).toString() and "
    "substring(5) <= '10-' & (31 - (substring(0, 4).toInteger() * 5 div 4 + 1) mod 7).toString()"
)
REACHED = (
    "toString().select(iif(%resource.authored.toString().length() > 10, "
    f"%resource.authored >= ($this & 'T00:00:00' & iif({SUMMER}, '+01:00', '+00:00')).toDateTime(), "
    f"%resource.authored.toString().select({LATEST}) >= $this.toDate()))"
)
DAY = f"item.where(linkId = '{LAST}').answer.value.toString().select({LATEST})"
CODE = f"item.where(linkId = '{STATUS}').answer.value.code"
SPELLED_OUT = {
    "reassess-after-radiotherapy": (
        f"%resource.select(iif({CODE} = 'given-awaiting-effect', "
        f"{DAY}.select($this + 15 days).{REACHED}.not(), "
        f"iif({CODE} = 'failed', "
        f"iif({DAY}.select($this + 14 days).{REACHED}, false, {DAY}.{REACHED}), false)))"
    ),
    "update-radiotherapy-answer": (
        f"%resource.select(iif({CODE} = 'given-awaiting-effect', "
        f"{DAY}.select($this + 15 days).{REACHED}, false))"
    ),
}


def published(proposal: str) -> fhirpath.Program:
    """The proposal's condition on time, as it stands in the plan."""
    plan = content.resource("PlanDefinition", "htg117-patient-selection")
    action = next(each for each in content.actions(plan) if each["id"] == proposal)
    return compiled(action["condition"][0]["expression"]["expression"])


def compiled(text: str) -> fhirpath.Program:
    """An expression over the form."""
    return fhirpath.compiled(text, context_type="QuestionnaireResponse")


def said(program: fhirpath.Program, form: dict[str, Any]) -> list[Any] | str:
    """What a condition gives, or that it cannot be evaluated."""
    try:
        return program(form)
    except fhirpath.EvaluationError:
        return "fails"


def offsets() -> st.SearchStrategy[timezone]:
    """The offsets that FHIR can write, by the quarter of an hour; London's two the most often."""
    written = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
    return st.one_of(st.sampled_from([UTC, timezone(timedelta(hours=1))]), written)


def changes(years: st.SearchStrategy[int]) -> st.SearchStrategy[date]:
    """Days around the last Sundays of March and October."""

    def near(year: int, month: int, shift: int) -> date:
        last = date(year, month, 31)
        return last - timedelta(days=(last.weekday() + 1) % 7 - shift)

    return st.builds(near, years, st.sampled_from([3, 10]), st.integers(-2, 2))


def days(first: int, last: int) -> st.SearchStrategy[date]:
    """Days of those years: around clock changes, the ends of Februaries and of years, and any others."""
    years = st.integers(first, last)
    edges = st.builds(
        lambda year, shift: date(year, 3, 1) + timedelta(days=shift), years, st.sampled_from([-2, -1, 0, 304])
    )
    return st.one_of(changes(years), changes(years), edges, st.dates(date(first, 1, 1), date(last, 12, 1)))


def moments(day: date) -> st.SearchStrategy[datetime]:
    """Instants around the midnights that may begin a day in London, and around its clocks' changing."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    close = st.integers(-62 * 60, 122 * 60).map(lambda seconds: timedelta(seconds=seconds))
    sharp = st.sampled_from([-3601, -3600, -3599, -1, 0, 1, 3540, 3600, 7260]).map(
        lambda seconds: timedelta(seconds=seconds)
    )
    far = st.integers(-40 * 24, 40 * 24).map(lambda hours: timedelta(hours=hours))
    return st.one_of(close, close, sharp, sharp, far).map(lambda shift: midnight + shift)


def dates_of(day: date) -> st.SearchStrategy[str]:
    """A FHIR date at any of its precisions."""
    text = day.isoformat()
    return st.sampled_from([text, text, text, text[:7], text[:4]])


def written(moment: datetime, offset: timezone, fraction: str) -> str:
    """The instant as FHIR writes it, at an offset."""
    text = moment.astimezone(offset).isoformat(timespec="seconds")
    text = text[:19] + fraction + text[19:]
    return text.replace("+00:00", "Z") if offset is UTC else text


@st.composite
def dated(draw: st.DrawFn, first: int, last: int) -> tuple[str, str]:
    """A last fraction, and an `authored` near the day on which a proposal changes or anywhere around it."""
    target = draw(days(first, last))
    fraction_day = target - timedelta(days=draw(st.sampled_from([0, 14, 15, 15, 15])))
    when = draw(dates_of(fraction_day))
    if draw(st.integers(0, 4)) == 0:
        return when, draw(dates_of(target + timedelta(days=draw(st.integers(-1, 1)))))
    fraction = draw(st.sampled_from(["", "", ".000", ".999"]))
    return when, written(draw(moments(target)), draw(offsets()), fraction)


def filled(status: str, last: str | None, authored: str | None) -> dict[str, Any]:
    """A form that says this of radiotherapy."""
    return response(Answers({STATUS: status, LAST: last}, authored))


@pytest.mark.parametrize("proposal", PROPOSALS)
@given(
    dates=dated(1990, 2100),
    status=st.sampled_from(["given-awaiting-effect", "given-awaiting-effect", "failed", "controlling"]),
)
@settings(max_examples=600, deadline=None)
@example(("2026-10-10", "2026-10-24T23:30:00Z"), "given-awaiting-effect")
@example(("2026-10-11", "2026-10-25T23:30:00Z"), "given-awaiting-effect")
@example(("2026-03-14", "2026-03-28T23:30:00Z"), "given-awaiting-effect")
@example(("2026-03-15", "2026-03-29T23:30:00Z"), "given-awaiting-effect")
def test_a_condition_on_time_means_what_the_rule_spelled_out_means(
    proposal: str, dates: tuple[str, str], status: str
) -> None:
    form = filled(status, *dates)
    assert said(published(proposal), form) == said(compiled(SPELLED_OUT[proposal]), form)


ODD = (
    None,
    "",
    "2026",
    "2026-06",
    "2026-02-30",
    "2026-06-0101",
    "9999-12-31",
    "not a date",
    "2026-06-16T09:00:00Z",
    "2026-06-16T09:00:00",
    "2026-06-16T24:00:00Z",
    "2026-06-16T09:00Z",
    "2026-13-01T09:00:00+01:00",
    7,
    True,
    {"reference": "x"},
)


@pytest.mark.parametrize("proposal", PROPOSALS)
@given(
    statuses=st.lists(st.sampled_from(["given-awaiting-effect", "failed", "not-known", ""]), max_size=2),
    fractions=st.lists(st.sampled_from([*ODD, "2026-06-01", "2026-06-02"]), max_size=2),
    authored=st.sampled_from([*ODD, "2026-06-30T12:00:00+01:00"]),
)
@settings(max_examples=400, deadline=None)
@example(["given-awaiting-effect"], ["2026-06-01"], None)
@example(["given-awaiting-effect"], ["2026-06-01", "2026-06-02"], "2026-06-16T09:00:00Z")
@example(["failed"], ["2026-06-01"], "2026-06-16T09:00:00")
def test_what_is_no_date_comes_to_the_same_too(
    proposal: str, statuses: list[str], fractions: list[Any], authored: Any
) -> None:
    form = {
        "resourceType": "QuestionnaireResponse",
        "authored": authored,
        "item": [
            {"linkId": STATUS, "answer": [{"valueCoding": {"code": each}} for each in statuses]},
            {"linkId": LAST, "answer": [{"valueDate": each} for each in fractions]},
        ],
    }
    assert said(published(proposal), form) == said(compiled(SPELLED_OUT[proposal]), form)


@given(dates=dated(1996, 2099))
@settings(max_examples=800, deadline=None)
@example(("2026-03-14", "2026-03-29T00:59:00Z"))
@example(("2026-03-14", "2026-03-29T02:01:00+01:00"))
@example(("2026-10-10", "2026-10-24T23:00:00Z"))
@example(("2026-10-10", "2026-10-25T00:59:00Z"))
@example(("2026-10-11", "2026-10-25T23:59:59Z"))
@example(("2028-02-15", "2028-02-29T23:59:59Z"))
def test_the_fifteenth_day_begins_at_midnight_in_london(dates: tuple[str, str]) -> None:
    """Up to day 14 a reassessment is proposed, from then on a new answer (1996: today's clock changes)."""
    last, authored = dates
    today = assessment_day(authored)
    assert today is not None
    later = today > latest_day(last) + timedelta(days=14)
    form = filled("given-awaiting-effect", last, authored)
    assert [said(published(each), form) for each in PROPOSALS] == [[not later], [later]]


@given(dates=dated(1996, 2099))
@settings(max_examples=400, deadline=None)
def test_a_failure_is_too_early_before_the_fourteenth_day(dates: tuple[str, str]) -> None:
    """Nothing is to be reassessed from day 14 on, nor where the last fraction lies after the assessment."""
    last, authored = dates
    today = assessment_day(authored)
    assert today is not None
    early = timedelta() <= today - latest_day(last) < timedelta(days=14)
    form = filled("failed", last, authored)
    assert [said(published(each), form) for each in PROPOSALS] == [[early], [False]]
