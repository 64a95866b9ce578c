"""What a whole case must be: identifiers, sources, seriousness, drugs, and dates against one another.

Source: ICH E2B(R3) core list of data elements (business rules); the checks that MHRA publishes (age, primary
source, reaction after the start of the drug), with Northern Ireland's country code.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from service.yellow_card.e2b.places import items_of, join
from service.yellow_card.e2b.rule_conditions import Scope
from service.yellow_card.e2b.values import Null, read_moment, sendable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from service.domain.issues import Issue
    from service.yellow_card.e2b.values import Moment

_IDENTIFIER = re.compile(r"(?P<country>[A-Z]{2})-[^-\s][^-]*-\S.*")
_SUSPECTS = frozenset({"1", "3", "4"})
_PROFESSIONALS = frozenset({"1", "2", "3"})
_CRITERIA = tuple(f"E.i.3.2{letter}" for letter in "abcdef")
_AGES = ("D.2.1", "D.2.2a", "D.2.2.1a", "D.2.3")
_PERSONAL = ("D.1", "D.1.1.1", "D.1.1.2", "D.1.1.3", "D.1.1.4", "D.5")
_YEARS = {"a": Decimal(1), "{decade}": Decimal(10), "mo": Decimal(1) / 12, "wk": Decimal(7) / 365,
          "d": Decimal(1) / 365, "h": Decimal(1) / 8760}  # fmt: skip
_OLDEST = 120


def check_case(case: Scope, zone: tzinfo) -> Iterator[Issue]:
    """What is wrong with one case as a whole. Dates without an offset are taken to be in ``zone``."""
    for number, what in (("C.2.r", "a source"), ("E.i", "a reaction"), ("G.k", "a drug")):
        if not case.content.get(number):
            yield case.missing(number, f"each report has {what}")
    yield from _identifiers(case)
    yield from _documents(case)
    yield from _sources(case)
    yield from _patient(case)
    yield from _releases(case)
    reactions, drugs = inner(case, "E.i"), inner(case, "G.k")
    yield from _reactions(case, reactions)
    yield from _drugs(drugs, len(reactions))
    yield from _order(case, reactions, drugs, zone)


def inner(scope: Scope, group: str) -> list[Scope]:
    """The blocks of a group that lie in a block."""
    return [
        Scope(group, join(scope.place, group, index), item, scope.guide)
        for index, item in enumerate(items_of(scope.content, group), start=1)
        if isinstance(item, dict)
    ]


def _identifiers(case: Scope) -> Iterator[Issue]:
    for number in ("C.1.1", "C.1.8.1"):
        value = case.value(number)
        found = _IDENTIFIER.fullmatch(value) if isinstance(value, str) else None
        if value is not None and found is None:
            yield case.fault(
                number, "is country-organisation-number, and the organisation is without a hyphen"
            )
        elif found is not None and found["country"] not in case.guide.countries:
            yield case.fault(number, f"begins with {found['country']}, which is no country's code")
    for number, other in (("N.2.r.1", "C.1.1"), ("N.2.r.4", "C.1.2")):
        if case.has(number) and case.has(other) and case.value(number) != case.value(other):
            yield case.fault(number, f"differs from {other}; they are the same")
    others = inner(case, "C.1.9.1.r")
    if case.value("C.1.9.1") is True and not others:
        yield case.missing("C.1.9.1.r.1", "C.1.9.1 says that there are other identifiers; give them")
    if others and case.value("C.1.9.1") is not True:
        yield case.fault("C.1.9.1", "is not true although other identifiers are given; set it")
    for identifier in others:
        if not identifier.has("C.1.9.1.r.1") and not identifier.has("C.1.9.1.r.2"):
            yield identifier.missing("C.1.9.1.r.2", "an identifier has a source and a number")
    if isinstance(case.content.get("C.1.7"), Null):
        yield case.doubt("C.1.7", "may be NI only where a case from E2B(R2) is passed on; say true or false")


def _documents(case: Scope) -> Iterator[Issue]:
    documents = inner(case, "C.1.6.1.r")
    if case.value("C.1.6.1") is True and not any(one.has("C.1.6.1.r.1") for one in documents):
        yield case.missing("C.1.6.1.r.1", "C.1.6.1 says that there are documents; name them")
    if documents and case.value("C.1.6.1") is False:
        yield case.fault("C.1.6.1", "is false although documents are named; set it to true")
    if case.value("C.1.3") == "2" and not case.has("C.5.4"):
        yield case.missing("C.5.4", "the report is from a study (C.1.3 is 2)")


def _sources(case: Scope) -> Iterator[Issue]:
    sources = inner(case, "C.2.r")
    primary = [one for one in sources if one.has("C.2.r.5")]
    if sources and not primary:
        yield sources[0].missing("C.2.r.5", "one source is the primary one")
    for extra in primary[1:]:
        yield extra.fault("C.2.r.5", "stands a second time; one source only is the primary one")
    if case.value("C.3.1") is not None and case.value("C.3.1") != "7" and not case.has("C.3.2"):
        yield case.missing("C.3.2", "a sender who is no patient or consumer names the organisation")


def _patient(case: Scope) -> Iterator[Issue]:
    told = [number for number in _AGES if case.value(number) is not None]
    masked = case.content.get("D.1") == Null("MSK")
    if not masked and not told and not any(case.value(number) is not None for number in _PERSONAL):
        yield case.fault(
            "D.1", "is not known, and nothing else tells of a patient: give initials, age or sex"
        )
    if len(told) > 1:
        yield case.doubt(told[1], f"stands beside {told[0]}; give the most precise age only")
    if case.value("D.10.2.1") is not None and case.value("D.10.2.2a") is not None:
        yield case.doubt("D.10.2.2a", "stands beside D.10.2.1; give one of them")
    for number, unit in (("D.2.2a", "D.2.2b"), ("D.10.2.2a", "D.10.2.2b")):
        age, of = case.value(number), _YEARS.get(str(case.value(unit)))
        if isinstance(age, Decimal) and sendable(age) and of is not None and age * of > _OLDEST:
            yield case.fault(number, f"is more than {_OLDEST} years; correct the number or its unit")
    if not case.has("D.7.2") and not any(one.has("D.7.1.r.1b") for one in inner(case, "D.7.1.r")):
        yield case.doubt("D.7.2", "is missing: there is no coded history; where it is not known, say UNK")
    if case.content.get("D.9.4.r") and case.value("D.9.3") is not True:
        yield case.doubt("D.9.3", "is not true although an autopsy's findings are given; correct one")


def _releases(case: Scope) -> Iterator[Issue]:
    seen: dict[str, str] = {}
    waiting = [case]
    while waiting:
        scope = waiting.pop(0)
        for element in scope.guide.members[scope.group]:
            value = scope.value(element.number)
            if element.kind != "meddra-version" or not isinstance(value, str):
                continue
            first = next(iter(seen), value)
            if value != first:
                yield scope.fault(
                    element.number,
                    f"is {value[:8]} and {seen[first]} has {first[:8]}; one report has one release",
                )
            seen.setdefault(value, element.number)
        waiting += [one for group in scope.guide.inner(scope.group) for one in inner(scope, group)]


def _reactions(case: Scope, reactions: list[Scope]) -> Iterator[Issue]:
    qualified = {one.value("C.2.r.4") for one in inner(case, "C.2.r") if one.value("C.2.r.5") == "1"}
    for one in reactions:
        serious = any(one.value(number) is True for number in _CRITERIA)
        said = one.value("E.i.3.1")
        if (said in ("3", "4") and not serious) or (said in ("1", "2") and serious):
            yield one.doubt(
                "E.i.3.1", "does not agree with the criteria of seriousness (E.i.3.2); correct one"
            )
        if (one.value("E.i.7") == "5") != (one.value("E.i.3.2a") is True):
            yield one.doubt(
                "E.i.7", "is fatal (5) if and only if the reaction results in death (E.i.3.2a); correct one"
            )
        if one.has("E.i.8") and qualified & _PROFESSIONALS:
            yield one.doubt(
                "E.i.8", "is not sent where the primary source is a health professional; leave it out"
            )


def _drugs(drugs: list[Scope], reactions: int) -> Iterator[Issue]:
    roles = {one.value("G.k.1") for one in drugs}
    if drugs and None not in roles and not roles & _SUSPECTS:
        yield drugs[0].fault(
            "G.k.1", "is nowhere suspect (1), interacting (3) or not administered (4): one must be"
        )
    for drug in drugs:
        seen: set[object] = set()
        for assessed in inner(drug, "G.k.9.i"):
            number = assessed.value("G.k.9.i.1")
            if not assessed.has("G.k.9.i.1"):
                yield assessed.missing("G.k.9.i.1", "an assessment is about a reaction")
            elif not isinstance(number, int) or not 1 <= number <= reactions:
                yield assessed.fault("G.k.9.i.1", f"names no reaction: there are {reactions}")
            elif number in seen:
                yield assessed.fault("G.k.9.i.1", "names a reaction a second time for the same drug")
            seen.add(number)


def _order(case: Scope, reactions: list[Scope], drugs: list[Scope], zone: tzinfo) -> Iterator[Issue]:
    """Dates that cannot be so: a later one before an earlier one, as far as both are known."""
    yield from _before(case, "C.1.4", "C.1.5", zone)
    for one in reactions:
        yield from _before(one, "E.i.4", "E.i.5", zone)
    for group, start, end in (("D.7.1.r", "2", "4"), ("D.8.r", "4", "5"), ("D.10.7.1.r", "2", "4"),
                              ("D.10.8.r", "4", "5")):  # fmt: skip
        for one in inner(case, group):
            yield from _before(one, f"{group}.{start}", f"{group}.{end}", zone)
    suspect: list[Moment | None] = []
    for drug in drugs:
        dosages = inner(drug, "G.k.4.r")
        for dosage in dosages:
            yield from _before(dosage, "G.k.4.r.4", "G.k.4.r.5", zone)
        if drug.value("G.k.1") in ("1", "3"):
            starts = [_moment(dosage, "G.k.4.r.4", zone) for dosage in dosages]
            known = [start for start in starts if start is not None]
            suspect.append(
                min(known, key=lambda start: start.first) if known and None not in starts else None
            )
    if not suspect or None in suspect:
        return
    earliest = min(start.first for start in suspect if start is not None)
    for one in reactions:
        began = _moment(one, "E.i.4", zone)
        if began is not None and began.last < earliest:
            yield one.fault(
                "E.i.4", "lies before the first dose of every suspect drug (G.k.4.r.4); correct one"
            )


def _before(scope: Scope, first: str, second: str, zone: tzinfo) -> Iterator[Issue]:
    start, end = _moment(scope, first, zone), _moment(scope, second, zone)
    if start is not None and end is not None and start.first > end.last:
        yield scope.fault(second, f"lies before {first}; correct one of them")


def _moment(scope: Scope, number: str, zone: tzinfo) -> Moment | None:
    value = scope.value(number)
    return read_moment(value, zone) if isinstance(value, str) else None
