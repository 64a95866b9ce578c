"""``acknowledge``: an acknowledgement that was handed over, kept on the reports that it answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.errors import Unprocessable
from service.operations.report import cases
from service.operations.report.answering import join
from service.yellow_card.e2b.rendering import TABLE

if TYPE_CHECKING:
    from service.operations.report.cases import Case
    from service.operations.report.desk import Desk
    from service.operations.report.strays import Stray


@dataclass(frozen=True, slots=True)
class Taken:
    """What an acknowledgement that was handed over came to.

    ``cases`` are those that it answers, each as it stands with its answer; ``stray`` the file as it is kept
    where something in it belongs to no report.
    """

    cases: tuple[Case, ...]
    stray: Stray | None = None


def take(desk: Desk, body: bytes, through: str = "handed over") -> Taken:
    """The cases that the acknowledgement speaks of, and what could not be joined, kept and flagged.

    The same acknowledgement again changes nothing. Malformed or TooLarge where the bytes are none.
    """
    if desk.guide is None:
        raise Unprocessable(f"the published content has no {TABLE}, by which acknowledgements are read")
    name = f"answer-{hashlib.sha256(body).hexdigest()[:16]}.xml"
    made = join(desk, desk.guide, name, body, through)
    found = (cases.find(desk.records, one) for one in made.cases)
    return Taken(tuple(one for one in found if one is not None), made.stray)
