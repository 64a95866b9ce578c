"""What a report tells of a patient: age at the event, band, sex, initials, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.safety_report import Subject
from service.domain.site import Site
from service.yellow_card.patient import age_at, band_of, describe, initials_of, years_at

PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"value": "9990000018"}],
    "name": [
        {"family": "Testcase", "given": ["Zoe", "Ann"]},
        {"use": "official", "family": "Other", "given": ["Zoe"]},
    ],
    "gender": "female",
    "birthDate": "1950-03-02",
}


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("1950-03-02", "2026-03-01T23:59:59Z", (Decimal(75), "a")),
        ("1950-03-02", "2026-03-02", (Decimal(76), "a")),
        ("1950-03-02", "2026-07", (Decimal(76), "a")),
        ("1950-03-02", "2026", (None, "a")),
        ("1950", "2026-07-01", (None, "a")),
        ("1950-03", "2026-03-15", (None, "a")),
        ("1950-03", "2026-07-15", (Decimal(76), "a")),
        ("2024-02-29", "2026-02-28", (Decimal(23), "mo")),
        ("2024-02-29", "2026-03-01", (Decimal(2), "a")),
        ("2026-06-20", "2026-07-10", (Decimal(20), "d")),
        ("2026-06-20", "2026-07-20", (Decimal(1), "mo")),
        ("2026-06", "2026-07-20", (None, "a")),
        ("2027-01-01", "2026-07-20", (None, "a")),
        ("1850-01-01", "2026-07-20", (None, "a")),
        (None, "2026-07-20", (None, "a")),
        ("1950-02-30", "2026-07-20", (None, "a")),
        ("1950-03-02", "", (None, "a")),
    ],
)
def test_the_age_at_the_event_is_told_where_the_dates_say_it(
    born: str | None, day: str, age: tuple[Decimal | None, str]
) -> None:
    assert age_at(born, day) == age


@pytest.mark.parametrize(
    ("born", "day", "band"),
    [("1950-03-02", "2026-07-01", "70-79"), ("1950", "2026", "70-79"), ("1946", "2026-07", None),
     ("1930-01-01", "2026-07", "90+"), ("1920-01-01", "2026-07", "90+"), ("2026-01-01", "2026-07-01", "0-9"),
     (None, "2026", None)],
)  # fmt: skip
def test_the_band_of_ten_years(born: str | None, day: str, band: str | None) -> None:
    assert band_of(years_at(born, day)) == band


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 40_000))
def test_exact_age_and_band_agree(born: date, days: int) -> None:
    day = born + timedelta(days=days)
    if day > date(2100, 1, 1):
        return
    age, unit = age_at(born.isoformat(), day.isoformat())
    band = band_of(years_at(born.isoformat(), day.isoformat()))
    assert age is not None
    assert band is not None
    years = int(age) if unit == "a" else int(age) // 12 if unit == "mo" else 0
    low = band.split("-")[0].rstrip("+")
    assert int(low) <= years
    assert band.endswith("+") or years <= int(band.split("-")[1])


def test_by_allow_list() -> None:
    assert describe(PATIENT, "2026-07-01", Site(), "LR-1") == Subject(
        age=Decimal(76), sex="female", local_reference="LR-1"
    )
    assert describe(PATIENT, "2026-07-01", Site(age="band", initials=True), None) == Subject(
        age_band="70-79", sex="female", initials="ZO"
    )
    assert describe(None, "2026-07-01", Site(initials=True), None) == Subject()
    assert describe({"gender": "Testcase"}, "2026", Site(), None).sex is None
    assert {one.name for one in fields(Subject)} == {
        "age", "age_unit", "age_band", "sex", "weight", "local_reference", "initials",
    }  # fmt: skip


def test_initials() -> None:
    assert initials_of(PATIENT) == "ZO"
    assert initials_of({"name": [{"given": ["zoe", "ann"]}]}) == "ZA"
    assert initials_of({}) is None
