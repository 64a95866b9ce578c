"""FHIRPath's Date, DateTime and Time: the one door to the values, their order, arithmetic and boundaries.

The work lies in `temporal_values` (types, parsing, parts), `temporal_order` (=, ~, <), `temporal_arithmetic`
(+, -, duration, difference) and `temporal_boundaries` (precision, lowBoundary, highBoundary).
"""

from .temporal_arithmetic import add, difference, duration
from .temporal_boundaries import high_boundary, low_boundary, precision
from .temporal_order import compare, equal, equivalent
from .temporal_values import (
    Date,
    DateTime,
    Temporal,
    Time,
    date_of,
    day,
    hour,
    millisecond,
    minute,
    month,
    now,
    parse_date,
    parse_datetime,
    parse_time,
    second,
    time_of,
    time_of_day,
    timezone_offset,
    to_date,
    to_datetime,
    today,
    year,
)

__all__ = [
    "Date",
    "DateTime",
    "Temporal",
    "Time",
    "add",
    "compare",
    "date_of",
    "day",
    "difference",
    "duration",
    "equal",
    "equivalent",
    "high_boundary",
    "hour",
    "low_boundary",
    "millisecond",
    "minute",
    "month",
    "now",
    "parse_date",
    "parse_datetime",
    "parse_time",
    "precision",
    "second",
    "time_of",
    "time_of_day",
    "timezone_offset",
    "to_date",
    "to_datetime",
    "today",
    "year",
]
