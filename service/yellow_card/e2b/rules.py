"""Whether a batch may leave the house: every element alone, every block, every case, and the batch.

Always run before XML leaves; the schemas of ICH accept a message without its code, its drugs or its patient,
so that they replace nothing here. An error refuses the message; a warning does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.domain.issues import Issue, error
from service.yellow_card.e2b.elements import CASE
from service.yellow_card.e2b.places import join, scopes
from service.yellow_card.e2b.rule_cases import check_case
from service.yellow_card.e2b.rule_conditions import Scope, check_block
from service.yellow_card.e2b.rule_values import Checking, check_value
from service.yellow_card.e2b.values import read_moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from service.yellow_card.e2b.batch import Batch
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.values import Moment


def check(batch: Batch, guide: Guide, now: datetime) -> tuple[Issue, ...]:
    """What is wrong with a batch, each issue with its element's number as ``key`` and its place.

    ``now`` is a moment with its zone; dates without an offset are taken to be in that zone.
    """
    zone = now.tzinfo
    if zone is None:
        raise ValueError("the present moment needs a zone")
    return tuple(_placed(_issues(batch, guide, now, zone), batch))


def _issues(batch: Batch, guide: Guide, now: datetime, zone: tzinfo) -> Iterator[Issue]:
    yield from _batch(batch, guide)
    created: Moment | None = None
    for group, place, content in scopes(batch, guide):
        if group == CASE:
            written = content.get("C.1.2")
            created = read_moment(written, zone) if isinstance(written, str) else None
        scope = Scope(group, place, content, guide)
        yield from _members(scope, Checking(guide, now, created))
        yield from check_block(scope)
        if group == CASE:
            yield from check_case(scope, zone)


def _batch(batch: Batch, guide: Guide) -> Iterator[Issue]:
    if not batch.cases:
        yield error("required", f"{CASE} ({guide.names[CASE]}) is missing: a batch has a report", CASE, CASE)
    seen: set[object] = set()
    for index, case in enumerate(batch.cases, start=1):
        message = case.get("N.2.r.1")
        if not isinstance(message, str):
            continue
        if message in seen:
            place = join(join("", CASE, index), "N.2.r.1")
            said = "stands on an earlier report of the batch too; each has its own"
            yield error("duplicate", f"N.2.r.1 ({guide.elements['N.2.r.1'].name}) {said}", place, "N.2.r.1")
        seen.add(message)


def _members(scope: Scope, checking: Checking) -> Iterator[Issue]:
    """Every value of a block, and whatever does not belong to it."""
    members = {element.number: element for element in scope.guide.members[scope.group]}
    inside = set(scope.guide.inner(scope.group))
    for number, value in scope.content.items():
        place = join(scope.place, number)
        if number in inside:
            yield from _group(scope, number, value, checking)
        elif number in members:
            yield from check_value(members[number], value, place, checking)
        else:
            known = scope.guide.elements.get(number)
            belongs = (
                f"; it belongs in {known.group or 'the batch'}" if known is not None else "; take it out"
            )
            yield error(
                "structure",
                f"{number[:20]} is no element of {scope.group or 'the batch'}{belongs}",
                place,
                number,
            )


def _group(scope: Scope, number: str, items: object, checking: Checking) -> Iterator[Issue]:
    place = join(scope.place, number)
    if not isinstance(items, list):
        yield error(
            "structure", f"{number} ({scope.guide.names[number]}) repeats; give a list", place, number
        )
        return
    leaf = scope.guide.elements.get(number)
    for index, item in enumerate(items, start=1):
        there = join(scope.place, number, index)
        if leaf is not None:
            yield from check_value(leaf, item, there, checking)
        elif not isinstance(item, dict):
            yield error(
                "structure", f"{number} ({scope.guide.names[number]}) holds blocks of elements", there, number
            )


def _placed(issues: Iterator[Issue], batch: Batch) -> Iterator[Issue]:
    """The issues with the lines they are about, where the batch was read from a text."""
    first: dict[str, int] = {}
    for place, line in batch.lines.items():
        block = place.rpartition("].")[0]
        first[block] = min(line, first.get(block, line))
    for issue in issues:
        found = batch.lines.get(issue.expression, first.get(issue.expression.rpartition("].")[0]))
        yield issue if found is None else issue.at(found, 1)
