"""What users did with cards: feedback read, kept as history, and summed up. CDS Hooks 2.0.1, Feedback.

Each item is a record of the internal type ``HookFeedback``, named by its content: the same item sent again is
known again; a later outcome of the same card is another item beside it. A card that no call on record was
answered with (its record was lost, or it is not ours) is kept and marked ``unknown``; its comment is not,
since free text that leads to no patient could never be erased with the patient's records.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from service.domain.errors import PreconditionFailed, Refused
from service.domain.issues import Issue, error
from service.fhir.json_text import decode, encode
from service.operations.ports import Write
from service.operations.searching.parameters import Kind
from service.operations.searching.query import Condition, Query, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.operations.ports import Records

Resource = dict[str, Any]
TYPE = "HookFeedback"
OUTCOMES = ("accepted", "overridden")
MOST = 500
_SPACE = uuid.UUID("0e3b5d8e-7a52-5b0b-9a55-0c6f6f0b1f52")
_UUID = "urn:ietf:rfc:3986"
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,9})?(?:[Zz]|\+00:00)")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Item:
    """What a user did with one card. ``at`` is RFC 3339 in UTC; ``reason`` a Coding."""

    card: str
    outcome: str
    at: str
    suggestions: tuple[str, ...] = ()
    reason: Resource | None = None
    comment: str | None = None

    def id(self, service: str) -> str:
        """The record's id: the same content, the same id."""
        reason = self.reason or {}
        said = (
            service, self.card, self.outcome, self.at, *self.suggestions,
            str(reason.get("system")), str(reason.get("code")), str(self.comment),
        )  # fmt: skip
        return str(uuid.uuid5(_SPACE, "\n".join(said)))


@dataclass(slots=True)
class _Reading:
    issues: list[Issue] = field(default_factory=list)

    def text(self, source: Resource, name: str, place: str, *, required: bool = True) -> str | None:
        """The text of a member; None where it is missing or wrong, which is reported."""
        value = source.get(name, _MISSING)
        where = f"{place}.{name}"
        if isinstance(value, str) and "\x00" in value:  # PostgreSQL keeps no such text
            self.add("value", f"{where} holds a null character; leave it out", where)
            return None
        if isinstance(value, str) and value.strip():
            return value
        if value is _MISSING and not required:
            return None
        said = f"{where} is required" if value is _MISSING else f"{where} is a text that is not empty"
        self.add("required" if value is _MISSING else "value", said, where)
        return None

    def add(self, code: str, said: str, place: str) -> None:
        self.issues.append(error(code, said, place))


def read_feedback(body: Resource) -> tuple[Item, ...]:
    """The items of a feedback request, each once; Refused tells every fault at once, with its place."""
    listed = body.get("feedback")
    if not isinstance(listed, list) or not listed:
        said = "feedback is required: an array of at least one object with card, outcome and outcomeTimestamp"
        raise Refused(said, issues=[error("required", said, "feedback")])
    if len(listed) > MOST:
        said = f"feedback holds more than {MOST} items; send fewer at a time"
        raise Refused(said, issues=[error("too-long", said, "feedback")])
    reading = _Reading()
    found = [_item(one, f"feedback[{at}]", reading) for at, one in enumerate(listed)]
    if reading.issues:
        raise Refused("the feedback has faults", issues=reading.issues)
    return tuple({one.id(""): one for one in found if one is not None}.values())


def _item(given: object, place: str, reading: _Reading) -> Item | None:
    if not isinstance(given, dict):
        reading.add("structure", f"{place} is an object with card, outcome and outcomeTimestamp", place)
        return None
    card = reading.text(given, "card", place)
    outcome = reading.text(given, "outcome", place)
    if outcome is not None and outcome not in OUTCOMES:
        reading.add("value", f"{place}.outcome is accepted or overridden", f"{place}.outcome")
    at = _moment(given, place, reading)
    suggestions = _suggestions(given, place, outcome, reading)
    reason, comment = _override(given, place, outcome, reading)
    if card is None or outcome is None or at is None:
        return None
    if len(card) > 200:
        reading.add("too-long", f"{place}.card is a card's uuid", f"{place}.card")
    return Item(card, outcome, at, suggestions, reason, comment)


def _moment(given: Resource, place: str, reading: _Reading) -> str | None:
    text = reading.text(given, "outcomeTimestamp", place)
    if text is None:
        return None
    found = _INSTANT.fullmatch(text)
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2].replace(':60', ':59')}") if found else None
    except ValueError:
        moment = None
    if found is None or moment is None:
        where = f"{place}.outcomeTimestamp"
        reading.add("value", f"{where} is a moment in UTC as RFC 3339 writes it: 2026-07-01T09:00:00Z", where)
        return None
    return f"{found[1]}T{found[2]}{found[3] or ''}Z"


def _suggestions(given: Resource, place: str, outcome: str | None, reading: _Reading) -> tuple[str, ...]:
    where = f"{place}.acceptedSuggestions"
    listed = given.get("acceptedSuggestions", _MISSING)
    if listed is _MISSING:
        if outcome == "accepted":
            reading.add("required", f"{where} is required where the outcome is accepted", where)
        return ()
    if not isinstance(listed, list) or not listed:
        reading.add("value", f"{where} is an array of at least one object with the id of a suggestion", where)
        return ()
    if outcome == "overridden":
        reading.add("value", f"{where} does not go with the outcome overridden; leave it out", where)
    found = []
    for at, one in enumerate(listed[:MOST]):
        if isinstance(one, dict):
            found.append(reading.text(one, "id", f"{where}[{at}]") or "")
        else:
            reading.add(
                "structure", f"{where}[{at}] is an object with the id of a suggestion", f"{where}[{at}]"
            )
    return tuple(found)


def _override(
    given: Resource, place: str, outcome: str | None, reading: _Reading
) -> tuple[Resource | None, str | None]:
    where = f"{place}.overrideReason"
    value = given.get("overrideReason", _MISSING)
    if value is _MISSING:
        return None, None
    if not isinstance(value, dict) or not value:
        reading.add("value", f"{where} is an object with reason, userComment or both", where)
        return None, None
    if outcome == "accepted":
        reading.add("value", f"{where} does not go with the outcome accepted; leave it out", where)
    comment = reading.text(value, "userComment", where, required=False)
    reason = value.get("reason", _MISSING)
    if reason is _MISSING:
        return None, comment
    if not isinstance(reason, dict) or not reason:
        reading.add("value", f"{where}.reason is a Coding with code and system", f"{where}.reason")
        return None, comment
    made = {name: reading.text(reason, name, f"{where}.reason") for name in ("system", "code")}
    made["display"] = reading.text(reason, "display", f"{where}.reason", required=False)
    return {name: text for name, text in made.items() if text}, comment


def keep(items: tuple[Item, ...], service: str, client: str, records: Records, now: datetime) -> int:
    """How many of the items are new; those are stored in one transaction, the others stand already."""
    for _ in range(3):
        fresh = [one for one in items if records.read(TYPE, one.id(service)) is None]
        writes = [_write(one, service, client, records) for one in fresh]
        if not writes:
            return 0
        try:
            records.commit(writes, now)
        except PreconditionFailed:
            continue  # the same item came twice at once
        return len(writes)
    return 0


def _write(item: Item, service: str, client: str, records: Records) -> Write:
    subject = _subject(item.card, records)
    kept: Resource = {
        "resourceType": TYPE,
        "id": item.id(service),
        "service": service,
        "client": client,
        "card": item.card,
        "outcome": item.outcome,
        "at": item.at,
        "suggestions": list(item.suggestions),
        "reason": item.reason,
        "comment": item.comment if subject else None,
        "subject": subject,
        "unknown": None if subject else True,
    }
    resource = {name: value for name, value in kept.items() if value}
    return Write(TYPE, resource["id"], resource, encode(resource), expected=0)


def _subject(card: str, records: Records) -> Resource | None:
    """Whom the card was about, by the record of the call that it answered; None where there is none."""
    condition = Condition("identifier", Kind.TOKEN, "", (Value(_UUID, f"urn:uuid:{card}"),))
    found = records.search(Query("GuidanceResponse", (condition,), count=1)).versions
    subject = decode(found[0].body).resource.get("subject") if found else None
    return subject if isinstance(subject, dict) else None


@dataclass(slots=True)
class Total:
    """What became of one service's cards in one month. ``reasons`` counts override reasons by their words."""

    service: str
    month: str
    accepted: int = 0
    overridden: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    comments: int = 0
    unknown: int = 0


def summarise(records: Records, since: datetime | None = None) -> list[Total]:
    """The feedback by service and month (UTC), of each card its last outcome; since a moment if given."""
    last: dict[tuple[str, str], Resource] = {}
    for one in _stored(records):
        key = (one["service"], one["card"])
        if key not in last or _when(last[key]) <= _when(one):
            last[key] = one
    totals: dict[tuple[str, str], Total] = {}
    for one in last.values():
        if since is not None and _when(one) < since:
            continue
        key = (one["service"], one["at"][:7])
        total = totals.setdefault(key, Total(*key))
        if one["outcome"] == "accepted":
            total.accepted += 1
        else:
            total.overridden += 1
            reason = _words(one.get("reason"))
            total.reasons[reason] = total.reasons.get(reason, 0) + 1
        total.comments += "comment" in one
        total.unknown += bool(one.get("unknown"))
    return [totals[key] for key in sorted(totals)]


def _words(reason: Resource | None) -> str:
    return str(reason.get("display") or reason["code"]) if reason else "no reason given"


def _when(one: Resource) -> datetime:
    text = one["at"].replace(":60", ":59").removesuffix("Z")
    return datetime.fromisoformat(text[:26]).replace(tzinfo=UTC)


def _stored(records: Records) -> Iterator[Resource]:
    cursor = None
    while True:
        page = records.search(Query(TYPE, (), count=1000, cursor=cursor))
        for version in page.versions:
            yield decode(version.body).resource
        cursor = page.cursor
        if cursor is None:
            return
