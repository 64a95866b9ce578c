"""E2B(R3) acknowledgements joined to the reports that they answer.

A gateway answers at once (a receipt's body) or later (a file in its inbox). An answer that no report here was
sent for is not taken: its file stays with the reason beside it, for a person to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.domain.errors import Malformed, Unprocessable
from service.operations.report import cases
from service.operations.report.submitting import GATEWAY, Answer, acknowledge
from service.yellow_card.e2b.acknowledgement import Said, read_acknowledgement
from service.yellow_card.e2b.rendering import KIND, MEDIA_TYPE, file_name
from service.yellow_card.rendered import Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from service.operations.ports import Message, Receipt
    from service.operations.report.cases import Case
    from service.operations.report.desk import Desk
    from service.operations.report.submitting import Read
    from service.yellow_card.e2b.acknowledgement import Acknowledgement
    from service.yellow_card.e2b.elements import Guide

_WHOLE = {"AA": True, "AR": False}
"""What the batch's code says of a report that is not named by itself; AE says nothing of it."""


def reading(guide: Guide) -> Read:
    """Gives what a receipt's body says of the message's report; None where it answers another."""

    def read(message: Message, receipt: Receipt) -> Answer | None:
        if not receipt.body:
            return None
        try:
            answered = read_acknowledgement(receipt.body, guide)
        except Malformed:
            return None
        if file_name(answered.batch) != message.details.get("file_name"):
            return None
        return _answer(answered, str(message.details.get("case")))

    return read


def accepting(desk: Desk, guide: Guide) -> Callable[[str, bytes], None]:
    """Takes an acknowledgement's file: its answers are kept on their reports, the same answer only once.

    It raises Malformed where the file is no acknowledgement, Unprocessable where it speaks of a report that
    was not sent from here, or not in that batch; answers that do belong to reports are taken all the same.
    """

    def accept(name: str, body: bytes) -> None:
        answered = read_acknowledgement(body, guide)
        document = Rendered(MEDIA_TYPE, name, body, "answer")
        strangers: list[str] = []
        named = [case.message for case in answered.cases] or [answered.batch]
        for number in named:
            held = _case(desk, number, answered.batch)
            answer = _answer(answered, held.id) if held is not None else None
            if held is None:
                strangers.append(number)
            elif answer is not None:
                acknowledge(desk, held.id, answer, GATEWAY, document=document)
        if strangers:
            raise Unprocessable(
                f"it answers what was not sent from here, or not in the batch {answered.batch[:100]}: "
                f"{', '.join(one[:100] for one in strangers[:10])}; find out whose it is"
            )

    return accept


def _case(desk: Desk, number: str, batch: str) -> Case | None:
    """The case of a worldwide number (country-organisation-case), or of a batch's (the same and more).

    None where no such case was sent in that batch.
    """
    _, _, rest = (*number.split("-", 2), "", "")[:3]
    found = cases.find(desk.records, rest) if rest else None
    if found is None and number == batch:
        found = cases.find(desk.records, rest.rsplit(".", 2)[0]) if rest else None
    sent = found is not None and any(
        one.kind == KIND and one.file_name == file_name(batch) for one in found.exports
    )
    return found if sent else None


def _answer(answered: Acknowledgement, case: str) -> Answer | None:
    """What the acknowledgement says of one case; None where it says nothing yet."""
    for one in answered.cases:
        if one.message.split("-", 2)[-1] == case:
            return Answer(one.accepted, _sentences(one.said), one.reference)
    accepted = _WHOLE.get(answered.code) if not answered.cases else None
    return None if accepted is None else Answer(accepted, _sentences(answered.said), None)


def _sentences(said: Iterable[Said]) -> tuple[str, ...]:
    return tuple(f"{one.element}: {one.text}" if one.element else one.text for one in said)
