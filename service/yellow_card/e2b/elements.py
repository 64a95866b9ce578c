"""The elements of E2B(R3) and the skeleton of its message, as the table ``e2b-r3.json`` has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.errors import ContentFault
from service.yellow_card.e2b.skeleton import Node, read_skeleton

if TYPE_CHECKING:
    from collections.abc import Mapping

CASE = "N.2.r"


@dataclass(frozen=True, slots=True)
class Element:
    """One element: what may stand in it, and where it stands in the message.

    ``group`` is the number of the repeating block it lies in, empty for the batch's own. ``kind`` is text,
    token, telecom, code, number, boolean, date, country, language, unit, meddra-code, meddra-version,
    qualified, document or reaction. ``values`` are the allowed ones with their labels, None where any may
    stand. ``precision`` is the least of a date. ``above`` and ``most`` bound a number.
    """

    number: str
    name: str
    kind: str
    conformance: str
    group: str = ""
    length: int | None = None
    condition: str = ""
    values: Mapping[str, str] | None = None
    nulls: frozenset[str] = frozenset()
    precision: str = ""
    above: int | None = None
    most: int | None = None
    whole: bool = False
    xpath: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything that reads, writes and checks messages: elements and groups by number, and the skeleton.

    ``groups`` leads from a group to the one around it. ``report`` translates a safety report's words.
    """

    elements: Mapping[str, Element]
    groups: Mapping[str, str]
    names: Mapping[str, str]
    members: Mapping[str, tuple[Element, ...]]
    countries: frozenset[str]
    report: Mapping[str, Mapping[str, str]]
    skeleton: Node

    def inner(self, group: str) -> tuple[str, ...]:
        """The groups that lie directly in a group."""
        return tuple(number for number, outer in self.groups.items() if outer == group)


def read_guide(table: Mapping[str, Any]) -> Guide:
    """The guide in the table ``mappings/shared/e2b-r3.json``. Raises ContentFault where it does not fit."""
    try:
        elements = {row["number"]: _element(row) for row in table["elements"]}
        names: Mapping[str, str] = table["groups"]
        groups = {number: _outer(number, names) for number in names}
        skeleton = read_skeleton("\n".join(table["message"]), table["prefixes"])
        countries = frozenset(table["countries"]["codes"])
        report = table["report"]
    except (KeyError, TypeError, ValueError) as fault:
        raise ContentFault(f"the table of E2B elements cannot be read: {fault!r}") from fault
    placed = set(skeleton.numbers()) | {"G.k.9.i.1"}
    if placed != set(elements):
        odd = sorted(placed ^ set(elements))
        raise ContentFault(f"the table of E2B elements and its message differ in {', '.join(odd)}")
    members = {
        group: tuple(element for element in elements.values() if element.group == group)
        for group in ("", *groups)
    }
    return Guide(elements, groups, names, members, countries, report, skeleton)


def _outer(number: str, groups: Mapping[str, str]) -> str:
    if number == CASE:
        return ""
    around = [other for other in groups if number.startswith(f"{other}.")]
    return max(around, key=len, default=CASE)


def _element(row: Mapping[str, Any]) -> Element:
    values = row.get("values")
    bounds = row.get("bounds", {})
    return Element(
        number=row["number"],
        name=row["name"],
        kind=row["type"],
        conformance=row["conformance"],
        group=row.get("group", ""),
        length=row.get("length"),
        condition=row.get("condition", ""),
        values=dict.fromkeys(values, "") if isinstance(values, list) else values,
        nulls=frozenset(row.get("nulls", ())),
        precision=row.get("precision", ""),
        above=bounds.get("above"),
        most=bounds.get("most"),
        whole=bounds.get("whole", False),
        xpath=row.get("xpath", ""),
        source=row["source"],
    )
