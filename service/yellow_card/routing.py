"""Where a report is submitted, by the reporting organisation's nation: a table in ``routes.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.errors import ContentFault
from service.domain.issues import error
from service.domain.safety_report import Branch
from service.domain.site import NATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.domain.safety_report import SafetyReport
    from service.domain.site import Site

Resource = dict[str, Any]
FILE = "mappings/shared/routes.json"
_ANY = "*"
_NEEDED = ("branch", "nation", "name", "contact", "why", "country", "source", "read")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a report goes. ``contact`` is an address, ``also`` who else is to be told.

    ``country`` is how an E2B message names the reporting nation. ``dated`` is the date that the source bears,
    ``read`` when it was last compared.
    """

    name: str
    contact: str
    why: str
    country: str
    source: str
    read: str
    dated: str | None = None
    email: str | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: whom it is for, and the route. ``private`` None fits both."""

    branch: Branch
    nation: str
    private: bool | None
    route: Route


def find_routes(data: Mapping[str, Resource]) -> tuple[Row, ...]:
    """The table in the content; empty where there is none. ContentFault lists what is wrong with it."""
    held = data.get(FILE)
    if held is None:
        return ()
    rows = held.get("routes", [])
    faults = [error("invalid", f"{FILE}: {said}", f"routes[{at}]") for at, row in enumerate(rows)
              for said in _faults(row)]  # fmt: skip
    if faults:
        raise ContentFault(f"{FILE} has {len(faults)} faults", issues=faults)
    return tuple(_row(row) for row in rows)


def _faults(row: Resource) -> Iterator[str]:
    yield from (f"'{name}' is missing" for name in _NEEDED if name not in row)
    if row.get("branch") not in tuple(Branch):
        yield f"'{row.get('branch')}' is no branch; these are: {', '.join(Branch)}"
    if row.get("nation") not in (*NATIONS, _ANY):
        yield f"'{row.get('nation')}' is no nation; these are: {', '.join(NATIONS)}, or * for all"


def _row(row: Resource) -> Row:
    route = Route(
        row["name"],
        row["contact"],
        row["why"],
        row["country"],
        row["source"],
        row["read"],
        row.get("dated"),
        row.get("email"),
        tuple(row.get("also", ())),
    )
    return Row(Branch(row["branch"]), row["nation"], row.get("private"), route)


def route_of(
    rows: tuple[Row, ...], branch: Branch, nation: str | None, private: bool = False
) -> Route | None:
    """The route of a report; None where the nation is needed and not known, or no row fits."""
    for row in rows:
        if row.branch is not branch or row.nation not in (nation, _ANY):
            continue
        if row.private is None or row.private == private:
            return row.route
    return None


def route(rows: tuple[Row, ...], report: SafetyReport, site: Site) -> Route | None:
    """The route of this report from this site."""
    return route_of(rows, report.branch, report.nation or site.nation or None, site.private)
