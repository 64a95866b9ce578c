"""Dates, date-times and times: parsing, order, arithmetic, boundaries, at every precision and zone."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.fhirpath import temporal
from service.fhirpath.temporal import Date, DateTime, Temporal, Time

D = Decimal


def read(text: str) -> Temporal:
    """A literal's body: a time after T, a date, or a date-time."""
    found = (
        temporal.parse_time(text)
        if text[0] == "T"
        else temporal.parse_date(text) or temporal.parse_datetime(text)
    )
    assert found is not None, text
    return found


def written(value: Temporal | None) -> str | None:
    return None if value is None else value.text


dates = st.dates().map(lambda day: temporal.parse_date(day.isoformat())).filter(bool)
partial_dates = st.builds(
    lambda day, length: read(day.isoformat()[:length]), st.dates(), st.sampled_from([4, 7, 10])
)
zones = st.sampled_from(["", "Z", "+00:00", "+01:00", "-05:00", "+05:30", "+14:00", "-12:00"])


@st.composite
def datetimes(draw: st.DrawFn, cut: bool = True) -> DateTime:
    """Any date-time; with cut, at any precision."""
    instant = draw(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)))  # noqa: DTZ001
    text = instant.isoformat(timespec=draw(st.sampled_from(["seconds", "milliseconds"])))
    if cut and draw(st.booleans()):
        text = text[: draw(st.sampled_from([4, 7, 10, 13, 16]))]
    zone = draw(zones) if len(text) > 10 else ""
    found = temporal.parse_datetime(text + zone)
    assert found is not None
    return found


times = st.builds(
    lambda time, length: read("T" + time.isoformat(timespec="milliseconds")[:length]),
    st.times(),
    st.sampled_from([2, 5, 8, 12]),
)
temporals = partial_dates | datetimes() | times


# parsing


@pytest.mark.parametrize(
    ("text", "parts"),
    [("2015", (2015,)), ("2015-02", (2015, 2)), ("2016-02-29", (2016, 2, 29)), ("0001", (1,))],
)
def test_dates_are_read_at_every_precision(text: str, parts: tuple[int, ...]) -> None:
    assert temporal.parse_date(text) == Date(text, parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "15",
        "2015-2",
        "2015-13",
        "2015-00",
        "2015-02-30",
        "2015-02-29",
        "1900-02-29",
        "2015-04-31",
        "0000",
        "2015-02-04T",
        "2015-02-04T10",
        " 2015",
        "2015 ",
        "2015\n",
        "+2015",
        "２０１５",
        "20150204",
        "2015-02-",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    assert temporal.parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015T", DateTime("2015", (2015,), None)),
        ("2015-02T", DateTime("2015-02", (2015, 2), None)),
        ("2015-02-04", DateTime("2015-02-04", (2015, 2, 4), None)),
        ("2015-02-04T14", DateTime("2015-02-04T14", (2015, 2, 4, 14), None)),
        ("2015-02-04T14+10:00", DateTime("2015-02-04T14+10:00", (2015, 2, 4, 14), 600)),
        ("2015-02-04T14:34Z", DateTime("2015-02-04T14:34Z", (2015, 2, 4, 14, 34), 0)),
        (
            "2015-02-04T14:34:28.10-03:30",
            DateTime("2015-02-04T14:34:28.10-03:30", (2015, 2, 4, 14, 34, D("28.1")), -210),
        ),
        ("2016-12-31T23:59:60Z", DateTime("2016-12-31T23:59:60Z", (2016, 12, 31, 23, 59, D(60)), 0)),
    ],
)
def test_datetimes_are_read_at_every_precision(text: str, expected: DateTime) -> None:
    assert temporal.parse_datetime(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "T10",
        "2015-02-30T10:00",
        "2015-02-04T24:00",
        "2015-02-04T10:60",
        "2015-02-04T10:00:61",
        "2015TZ",
        "2015T10",
        "2015-02-04T10:00:00.",
        "2015-02-04T10:00+15:00",
        "2015-02-04T10:00+14:30",
        "2015-02-04T10:00+1:00",
        "2015-02-04 10:00",
        "2015-02-04t10:00",
        "2015-02-04T10:00z",
        "2015-02-04T10:00:00." + "1" * 60,
    ],
)
def test_what_is_no_datetime_is_refused(text: str) -> None:
    assert temporal.parse_datetime(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14", Time("14", (14,))),
        ("T14:34", Time("14:34", (14, 34))),
        ("14:34:28.123", Time("14:34:28.123", (14, 34, D("28.123")))),
        ("24:00", None),
        ("14:34:28Z", None),
        ("14:34:28+10:00", None),
        ("1:00", None),
        ("", None),
    ],
)
def test_times(text: str, expected: Time | None) -> None:
    assert temporal.parse_time(text) == expected


@given(st.text(max_size=70) | st.text(alphabet="0123456789-:T.Z+", max_size=30))
def test_no_text_raises(text: str) -> None:
    for parse in (temporal.parse_date, temporal.parse_datetime, temporal.parse_time):
        found = parse(text)
        assert found is None or found.text == text.removeprefix("T").removesuffix("T")


@given(temporals)
def test_the_text_of_a_value_reads_as_the_value(value: Temporal) -> None:
    parse = {Date: temporal.parse_date, DateTime: temporal.parse_datetime, Time: temporal.parse_time}[
        type(value)
    ]
    assert parse(value.text) == value


# order


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("2012", "2012", 0),
        ("2012", "2013", -1),
        ("2012-01", "2012", None),
        ("2012-02", "2013-01-01", -1),
        ("2018-03", "2018-03-01", None),
        ("2012-01-01T10:30", "2012-01-01T10:31", -1),
        ("2012-01-01T10:30:31", "2012-01-01T10:30", None),
        ("2012-01-01T10:30:31.0", "2012-01-01T10:30:31", 0),
        ("2012-01-01T10:30:31.1", "2012-01-01T10:30:31", 1),
        ("T10:30", "T10:30:00", None),
        ("T10:30:00", "T10:30:00.0", 0),
        ("T10", "T11:30", -1),
        # zones
        ("2017-11-05T01:30:00.0-04:00", "2017-11-05T01:15:00.0-05:00", -1),
        ("2017-11-05T01:30:00.0-04:00", "2017-11-05T00:30:00.0-05:00", 0),
        ("2012-04-15T15:00:00Z", "2012-04-15T15:00:00+00:00", 0),
        ("2012-04-15T15:00+02:00", "2012-04-15T16:00+03:00", 0),
        ("2012-04-15T15+02:00", "2012-04-15T16+03:00", 0),
        ("2012-04-15T15+02:00", "2012-04-15T16+03:30", None),
        ("2012-04-15T15:00+02:00", "2012-04-15T16:00:00+03:00", None),
        ("2012-12-31T23:00:00-05:00", "2013-01-01T04:00:00Z", 0),
        # a zone missing on one side: known where no zone could change it
        ("2012-04-15T15:00:00Z", "2012-04-15T10:00:00", None),
        ("2012-04-15T15:00:00Z", "2012-04-13T10:00:00", 1),
        ("1974-12-25", "1974-12-25T12:34:00+10:00", None),
        ("1974-12-25", "2026-11-20T10:00:00Z", -1),
        ("2026-11-20", "2026-11-20T23:59:59Z", None),
        # a date beside a date-time
        ("2012-04-15", "2012-04-15T10:00:00", None),
        ("2012-04-14", "2012-04-15T10:00:00", -1),
    ],
)
def test_order(a: str, b: str, expected: int | None) -> None:
    left, right = read(a), read(b)
    assert temporal.compare(left, right) == expected
    assert temporal.compare(right, left) == (None if expected is None else -expected)
    assert temporal.equal(left, right) == (None if expected is None else expected == 0)
    assert temporal.equivalent(left, right) is (expected == 0)


def test_a_time_is_never_a_date() -> None:
    assert temporal.equal(read("T12:14"), read("1974-12-25")) is False
    assert temporal.equivalent(read("2012-01-01T12:14"), read("T12:14")) is False
    with pytest.raises(TypeError, match="a Time cannot be compared"):
        temporal.compare(read("T12:14"), read("1974-12-25"))


@given(partial_dates | datetimes(), partial_dates | datetimes(), partial_dates | datetimes())
def test_order_is_antisymmetric_and_transitive(a: Temporal, b: Temporal, c: Temporal) -> None:
    forth, back = temporal.compare(a, b), temporal.compare(b, a)
    assert forth == (None if back is None else -back)
    if forth == -1 and temporal.compare(b, c) == -1:
        assert temporal.compare(a, c) == -1


@given(temporals)
def test_a_value_equals_itself(value: Temporal) -> None:
    assert temporal.compare(value, value) == 0


@given(datetimes(cut=False), datetimes(cut=False))
def test_instants_compare_as_python_compares_them(a: DateTime, b: DateTime) -> None:
    assume(a.offset is not None and b.offset is not None)
    left, right = datetime.fromisoformat(a.text), datetime.fromisoformat(b.text)
    assert temporal.compare(a, b) == (left > right) - (left < right)


# arithmetic


@pytest.mark.parametrize(
    ("value", "amount", "unit", "expected"),
    [
        ("1973-12-25", "7", "days", "1974-01-01"),
        ("1973-12-25", "7.7", "days", "1974-01-01"),
        ("1973-12-25", "-7.7", "days", "1973-12-18"),
        ("1973-12-25", "1", "d", "1973-12-26"),
        ("1973-12-25", "1", "wk", "1974-01-01"),
        ("1973-12-25", "1", "month", "1974-01-25"),
        ("1974-12-25", "-1", "month", "1974-11-25"),
        ("2019-01-31", "1", "month", "2019-02-28"),
        ("2020-02-29", "1", "year", "2021-02-28"),
        ("2020-02-29", "-4", "years", "2016-02-29"),
        ("2019-03-01", "24", "months", "2021-03-01"),
        # a unit finer than the value
        ("2014", "24", "months", "2016"),
        ("2014", "23", "months", "2015"),
        ("2014", "-23", "months", "2013"),
        ("2016", "365", "days", "2017"),
        ("2016", "364", "days", "2016"),
        ("2014-01", "59", "days", "2014-02"),
        ("2015-01-01T00", "90", "minutes", "2015-01-01T01"),
        ("2015-01-01T00:00", "119.9", "seconds", "2015-01-01T00:01"),
        ("2015-01-01T00:00:00Z", "1999", "ms", "2015-01-01T00:00:01Z"),
        ("2015T", "48", "hours", "2015"),
        # the clock, and the zone kept as written
        ("1973-12-25T00:00:00.000+10:00", "1", "second", "1973-12-25T00:00:01.000+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "10", "millisecond", "1973-12-25T00:00:00.010+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "0.1", "s", "1973-12-25T00:00:00.100+10:00"),
        ("1973-12-25T00:00:00.000+10:00", "-1", "ms", "1973-12-24T23:59:59.999+10:00"),
        ("1973-12-31T23:59:59Z", "1.0", "seconds", "1974-01-01T00:00:00Z"),
        ("1973-12-31T23:30Z", "1.9", "hours", "1974-01-01T00:30Z"),
        ("2016-12-31T23:59:60Z", "1", "s", "2017-01-01T00:00:01Z"),
        ("T10:00:00", "-0.5", "s", "09:59:59.5"),
        ("T23:00", "2", "hours", "01:00"),
        ("T00:10", "-1500", "minutes", "23:10"),
        # out of the calendar
        ("9999-12-31", "1", "day", None),
        ("9999", "1", "year", None),
        ("0001-01", "-1", "month", None),
        ("2015-01-01", "1E999999", "days", None),
        ("2015-01-01T00:00:00Z", "1E15", "seconds", None),
    ],
)
def test_arithmetic(value: str, amount: str, unit: str, expected: str | None) -> None:
    moved = temporal.add(
        read(value) if value != "2015T" else DateTime("2015", (2015,), None), D(amount), unit
    )
    assert written(moved) == expected


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        ("1973-12-25", "mo", "a Date takes years, months, weeks, days, not the unit 'mo' (write month)"),
        (
            "1973-12-25T10:00",
            "a",
            "a DateTime takes years, months, weeks, days, hours, minutes, seconds, milliseconds",
        ),
        ("1973-12-25", "cm", "not the unit 'cm'"),
        ("1973-12-25", "hours", "a Date takes years, months, weeks, days, not the unit 'hours'"),
        ("T10:00", "day", "a Time takes hours, minutes, seconds, milliseconds, not the unit 'day'"),
        ("T10:00", "1", "not the unit '1'"),
    ],
)
def test_a_unit_that_does_not_apply_is_an_error(value: str, unit: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        temporal.add(read(value), D(1), unit)
    assert message in str(caught.value)


exact_units = st.sampled_from(["weeks", "d", "hour", "min", "s", "milliseconds"])


@given(datetimes(cut=False), st.integers(min_value=-(10**6), max_value=10**6), exact_units)
def test_adding_and_taking_away_leads_back(value: DateTime, amount: int, unit: str) -> None:
    if unit == "milliseconds":
        amount = amount * 1000
    there = temporal.add(value, D(amount), unit)
    assume(there is not None)
    assert there is not None
    assert temporal.add(there, D(-amount), unit) == value
    assert temporal.compare(value, there) == (amount < 0) - (amount > 0)


@given(datetimes(cut=False), st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_steps_add_up(value: DateTime, a: int, b: int) -> None:
    first = temporal.add(value, D(a), "hours")
    assume(first is not None)
    assert first is not None
    assert temporal.add(first, D(b), "hours") == temporal.add(value, D(a + b), "hours")


@given(dates, st.integers(-200_000, 200_000))
def test_days_are_as_python_counts_them(value: Date, days: int) -> None:
    try:
        expected = (datetime.fromisoformat(value.text) + timedelta(days=days)).date().isoformat()
    except OverflowError:
        expected = None
    assert written(temporal.add(value, D(days), "days")) == expected


@given(
    temporals,
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from(["years", "month", "wk", "d", "h", "minutes", "s", "ms"]),
)
def test_adding_keeps_the_precision_and_never_breaks(value: Temporal, amount: Decimal, unit: str) -> None:
    try:
        moved = temporal.add(value, amount, unit)
    except ValueError as error:
        assert "not the unit" in str(error)
        return
    assert moved is None or len(moved.parts) == len(value.parts)


@pytest.mark.parametrize(
    ("a", "b", "unit", "difference", "duration"),
    [
        ("2025-01-02", "2025-01-07", "week", 1, 0),
        ("2025-01-01", "2025-09-01", "year", 0, 0),
        ("2024-12-01", "2025-09-01", "years", 1, 0),
        ("2025-09-01", "2024-12-01", "year", -1, 0),
        ("2000-05-05", "2020-05-04", "years", 20, 19),
        ("2000-05-05", "2020-05-05", "years", 20, 20),
        ("2000-05-05", "2020-05-05T10:00:00Z", "years", 20, 20),
        ("2020-01-31", "2020-02-29", "months", 1, 0),
        ("2012-03-10T10:20:00", "2013-03-10T09:20:00", "year", 1, 0),
        ("2020-01-01T23:00", "2020-01-02T01:00", "day", 1, 0),
        ("2020-01-01T23:59", "2020-01-02T00:00", "hour", 1, 0),
        ("2020-01-01T10:00:00+02:00", "2020-01-01T10:00:00+01:00", "hours", 1, 1),
        ("2020-01-01T10:00:00.900Z", "2020-01-01T10:00:01.100Z", "second", 1, 0),
        ("2020-01-01T10:00:00.900Z", "2020-01-01T10:00:01.100Z", "milliseconds", 200, 200),
        ("2020-01-01T10:00:00Z", "2020-01-01T10:00:01Z", "milliseconds", None, None),
        ("2020-01-01T10:00:00Z", "2020-01-01T10:00:01", "second", None, None),
        ("2020-01", "2020-03-05", "day", None, None),
        ("2020-01", "2020-03-05", "month", 2, 2),
        ("T10:30", "T12:15", "hours", 2, 1),
        ("T10", "T12", "hours", 2, 2),
    ],
)
def test_counting(a: str, b: str, unit: str, difference: int | None, duration: int | None) -> None:
    assert temporal.difference(read(a), read(b), unit) == difference
    assert temporal.duration(read(a), read(b), unit) == duration


def test_counting_refuses_what_has_no_distance() -> None:
    with pytest.raises(TypeError, match="no distance"):
        temporal.duration(read("T10"), read("2020"), "hours")
    with pytest.raises(ValueError, match="write the unit as a calendar word"):
        temporal.duration(read("2020-01-01"), read("2020-01-02"), "d")
    with pytest.raises(ValueError, match="a Date takes"):
        temporal.difference(read("2020-01-01"), read("2020-01-02"), "hours")


# boundaries, precision, parts


@pytest.mark.parametrize(
    ("value", "digits", "low", "high"),
    [
        ("2014", 6, "2014-01", "2014-12"),
        ("2014-02", None, "2014-02-01", "2014-02-28"),
        ("2014-05-06", 4, "2014", "2014"),
        ("2014", 17, None, None),
        ("2014-01-01T08", 17, "2014-01-01T08:00:00.000+14:00", "2014-01-01T08:59:59.999-12:00"),
        ("2014-01-01T08", 8, "2014-01-01", "2014-01-01"),
        ("2014-01-01T08", 12, "2014-01-01T08:00+14:00", "2014-01-01T08:59-12:00"),
        ("2014-01-01T08:05+08:00", 17, "2014-01-01T08:05:00.000+08:00", "2014-01-01T08:05:59.999+08:00"),
        ("2014-01-01T08:05:30.5Z", 14, "2014-01-01T08:05:30Z", "2014-01-01T08:05:30Z"),
        ("2014-01-01T08:05:30.123456Z", None, "2014-01-01T08:05:30.123456Z", "2014-01-01T08:05:30.123456Z"),
        ("2014-01-01T08:05:30.123456Z", 17, "2014-01-01T08:05:30.123Z", "2014-01-01T08:05:30.123Z"),
        ("T10:30", 9, "10:30:00.000", "10:30:59.999"),
        ("T10", 4, "10:00", "10:59"),
        ("T10:30:15", None, "10:30:15.000", "10:30:15.999"),
        ("T10:30:15", 17, None, None),
        ("2014-01-01T08", 9, None, None),
    ],
)
def test_boundaries(value: str, digits: int | None, low: str | None, high: str | None) -> None:
    assert written(temporal.low_boundary(read(value), digits)) == low
    assert written(temporal.high_boundary(read(value), digits)) == high


def test_a_year_as_a_datetime_has_the_widest_boundaries() -> None:
    year = temporal.parse_datetime("2014")
    assert year is not None
    assert written(temporal.low_boundary(year)) == "2014-01-01T00:00:00.000+14:00"
    assert written(temporal.high_boundary(year)) == "2014-12-31T23:59:59.999-12:00"


@given(temporals)
def test_boundaries_enclose_the_value(value: Temporal) -> None:
    low, high = temporal.low_boundary(value), temporal.high_boundary(value)
    assert low is not None
    assert high is not None
    assert type(low) is type(high) is type(value)
    assert temporal.compare(low, high) in (-1, 0)
    assert temporal.compare(low, value) in (-1, 0, None)
    assert temporal.compare(value, high) in (-1, 0, None)
    assert temporal.precision(low) == {Date: 8, DateTime: 17, Time: 9}[type(value)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2014", 4),
        ("2014-01", 6),
        ("2014-01-05", 8),
        ("2014-01-05T10", 10),
        ("2014-01-05T10:30:00.000", 17),
        ("2014-01-05T10:30:00Z", 14),
        ("T10:30", 4),
        ("T10:30:00.000", 9),
    ],
)
def test_precision(value: str, expected: int) -> None:
    assert temporal.precision(read(value)) == expected


def test_parts() -> None:
    value = read("2012-01-31T16:30:40.002-07:00")
    parts = [temporal.year, temporal.month, temporal.day, temporal.hour, temporal.minute, temporal.second]
    assert [part(value) for part in parts] == [2012, 1, 31, 16, 30, 40]
    assert temporal.millisecond(value) == 2
    assert str(temporal.timezone_offset(value)) == "-7.0"
    assert temporal.date_of(value) == read("2012-01-31")
    assert temporal.time_of(value) == read("T16:30:40.002")
    assert [part(read("2012")) for part in parts] == [2012, None, None, None, None, None]
    assert [part(read("T10:20")) for part in parts] == [None, None, None, 10, 20, None]
    assert temporal.millisecond(read("T10:20:30")) is None
    assert temporal.timezone_offset(read("2012-01-31T16:30")) is None
    assert str(temporal.timezone_offset(read("2012-01-31T16:30+05:45"))) == "5.75"
    assert str(temporal.timezone_offset(read("2012-01-31T16:30-03:30"))) == "-3.5"
    assert str(temporal.timezone_offset(read("2012-01-31T16:30Z"))) == "0.0"
    assert temporal.date_of(read("T10")) is None
    assert temporal.time_of(read("2012")) is None


def test_now_in_its_own_zone() -> None:
    instant = datetime(2026, 3, 9, 8, 7, 5, 123456, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert temporal.now(instant) == read("2026-03-09T08:07:05.123-03:30")
    assert temporal.today(instant) == read("2026-03-09")
    assert temporal.time_of_day(instant) == read("T08:07:05.123")
    with pytest.raises(ValueError, match="time zone"):
        temporal.now(datetime(2026, 3, 9))  # noqa: DTZ001


def test_dates_and_datetimes_become_each_other() -> None:
    date, moment = read("2012-01"), read("2012-01-31T16:30:40Z")
    assert not isinstance(date, Time)
    assert not isinstance(moment, Time)
    assert temporal.to_datetime(date) == DateTime("2012-01", (2012, 1), None)
    assert temporal.to_datetime(moment) is moment
    assert temporal.to_date(moment) == read("2012-01-31")
    assert temporal.to_date(date) is date
