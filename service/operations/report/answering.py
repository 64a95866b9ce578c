"""E2B(R3) acknowledgements joined to the reports that they answer.

A gateway answers at once (a receipt's body) or later (a file in its inbox, or handed over by a person). What
an acknowledgement says of a report that was not sent from here, or not in that batch, is joined to nothing:
the file is kept with the reason, for a person to look at (``strays``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.errors import Malformed, Unprocessable
from service.operations.report import cases, strays
from service.operations.report.strays import Unjoined
from service.operations.report.submitting import GATEWAY, Answer, Heard, acknowledge
from service.yellow_card.e2b.acknowledgement import Said, read_acknowledgement
from service.yellow_card.e2b.rendering import KIND, MEDIA_TYPE, file_name
from service.yellow_card.rendered import Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from service.operations.ports import Message, Receipt, Records
    from service.operations.report.desk import Desk
    from service.operations.report.strays import Stray
    from service.operations.report.submitting import Read
    from service.yellow_card.e2b.acknowledgement import Acknowledgement
    from service.yellow_card.e2b.elements import Guide

_WHOLE = {"AA": True, "AR": False}
"""What the batch's code says of a report that is not named by itself; AE says nothing of it."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """An acknowledgement beside what was sent: the answer of each case, and what belongs to none."""

    answers: tuple[tuple[str, Answer], ...]
    unjoined: tuple[Unjoined, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of an acknowledgement: the cases that it was joined to, and the file where it was not."""

    cases: tuple[str, ...]
    stray: Stray | None = None


def sort(records: Records, answered: Acknowledgement) -> Sorted:
    """Which case each answer belongs to. Nothing is stored."""
    sent, named = _sent(records, answered.batch), file_name(answered.batch)
    answers: list[tuple[str, Answer]] = []
    unjoined: list[Unjoined] = []
    if not sent:
        unjoined.append(Unjoined(answered.batch, "no such batch was sent from here"))
    told: dict[str, set[bool]] = {}
    for one in answered.cases:
        told.setdefault(one.message, set()).add(one.accepted)
    known = {one.message: one for one in answered.cases}
    for number, word in told.items():
        if number not in sent:
            unjoined.append(Unjoined(number, _why(records, number)))
        elif len(word) > 1:
            unjoined.append(Unjoined(number, "it is accepted and refused in the same acknowledgement"))
        else:
            case = known[number]
            answer = Answer(case.accepted, _sentences(case.said), case.reference, named)
            answers.append((sent[number], answer))
    whole = _WHOLE.get(answered.code)
    for number, id_ in sent.items():
        if number in told:
            continue
        if whole is None:
            unjoined.append(Unjoined(number, "the batch is answered, and nothing is said of this report"))
        else:
            answers.append((id_, Answer(whole, _sentences(answered.said), None, named)))
    return Sorted(tuple(answers), tuple(unjoined))


def reading(desk: Desk, guide: Guide) -> Read:
    """Gives what a receipt's body says of the reports sent; None where it is no acknowledgement."""

    def read(_message: Message, receipt: Receipt) -> Heard | None:
        if not receipt.body:
            return None
        try:
            answered = read_acknowledgement(receipt.body, guide)
        except Malformed:
            return None
        found = sort(desk.records, answered)
        writes = (
            strays.keeping(desk, "answer", receipt.body, answered.batch, found.unjoined, GATEWAY)
            if found.unjoined
            else ()
        )
        return Heard(dict(found.answers), writes)

    return read


def join(desk: Desk, guide: Guide, name: str, body: bytes, through: str) -> Joined:
    """The acknowledgement joined to its reports; it is kept whatever belongs to none, and flagged.

    The same bytes again change nothing. Malformed or TooLarge where they are no acknowledgement.
    """
    answered = read_acknowledgement(body, guide)
    found = sort(desk.records, answered)
    document = Rendered(MEDIA_TYPE, name, body, "answer")
    stray = None
    if found.unjoined:
        stray = strays.keep_stray(desk, name, body, answered.batch, found.unjoined, through)
    for case, answer in found.answers:
        acknowledge(desk, case, answer, GATEWAY, document=document)
    return Joined(tuple(case for case, _ in found.answers), stray)


def accepting(desk: Desk, guide: Guide) -> Callable[[str, bytes], None]:
    """Takes a file of the gateway's inbox: its answers are kept on their reports, the same only once.

    It raises Malformed where the file is no acknowledgement, and Unprocessable where something in it belongs
    to no report: the file is then kept and flagged, and what does belong is taken all the same.
    """

    def accept(name: str, body: bytes) -> None:
        made = join(desk, guide, name, body, f"{GATEWAY}'s inbox")
        if made.stray is not None:
            raise Unprocessable(f"{made.stray.says}; it is kept as {made.stray.digest}: find out whose it is")

    return accept


def _sent(records: Records, batch: str) -> Mapping[str, str]:
    """The numbers (N.2.r.1) of the reports sent in that batch (N.1.2), with the cases' ids; empty: none.

    A batch's number is that of its first report, its version and a moment.
    """
    first, parts, _ = (*batch.rsplit(".", 2), "", "")[:3]
    pieces = first.split("-", 2)
    if not parts or len(pieces) < 3:
        return {}
    country, organisation, id_ = pieces
    held = cases.find(records, id_)
    named = file_name(batch)
    made = [one for one in held.exports if one.kind == KIND and one.file_name == named] if held else []
    if not made:
        return {}
    return {
        (_number(records, one) if one != id_ else None) or f"{country}-{organisation}-{one}": one
        for one in made[-1].together or (id_,)
    }


def _number(records: Records, id_: str) -> str | None:
    held = cases.find(records, id_)
    return held.report.number if held is not None else None


def _why(records: Records, number: str) -> str:
    """Why a number that is not of the batch is not."""
    id_ = (*number.split("-", 2), "", "")[2]
    held = cases.find(records, id_) if id_ else None
    if held is None:
        return "no such report was sent from here"
    return "this report was not sent in that batch"


_MOST, _LONGEST = 100, 1000
"""Sentences of a recipient that are shown with a report, and characters of one; its file has them all."""


def _sentences(said: Iterable[Said]) -> tuple[str, ...]:
    given = tuple(said)
    texts = [f"{one.element}: {one.text}" if one.element else one.text for one in given[:_MOST]]
    shown = [
        text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}" for text in texts
    ]
    more = [f"and {len(given) - _MOST} more, which its file has"] if len(given) > _MOST else []
    return (*shown, *more)
