"""FHIRPath quantities: a number with a UCUM unit or a calendar duration.

FHIRPath § Quantity. The work lies in `quantity_values`, `quantity_order` and `quantity_arithmetic`. A unit is
either a UCUM code ('mg', '1') or one of the calendar words year … millisecond, kept in the singular. Above
the week a calendar duration and a definite one ('a', 'mo') do not compare, though they are equivalent; up to
the week they are the same length. Among themselves calendar durations follow § toQuantity: a year is 12
months or 365 days, a month 30 days.
"""

from .quantity_arithmetic import (
    absolute,
    add,
    convert,
    divide,
    high_boundary,
    low_boundary,
    multiply,
    negate,
    subtract,
)
from .quantity_order import comparable, compare, equal, equivalent
from .quantity_values import (
    CALENDAR,
    UCUM,
    Quantity,
    calendar_unit,
    from_element,
    make,
    parse_quantity,
    to_element,
    to_text,
)

__all__ = [
    "CALENDAR",
    "UCUM",
    "Quantity",
    "absolute",
    "add",
    "calendar_unit",
    "comparable",
    "compare",
    "convert",
    "divide",
    "equal",
    "equivalent",
    "from_element",
    "high_boundary",
    "low_boundary",
    "make",
    "multiply",
    "negate",
    "parse_quantity",
    "subtract",
    "to_element",
    "to_text",
]
