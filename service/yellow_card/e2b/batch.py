"""A batch of cases, as written and as read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.yellow_card.e2b.values import Content


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of a message that no element of E2B(R3) accounts for, such as a regional extension.

    ``path`` is its XPath; ``fragment`` its XML, cut short, empty for an attribute.
    """

    path: str
    line: int
    fragment: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """A message: ``header`` has N.1.1 to N.1.5, ``cases`` one content a case (N.2.r, C to H).

    ``lines`` leads from places (``N.2.r[1].E.i[2].E.i.7``) to lines of the text it was read from.
    """

    header: Content
    cases: tuple[Content, ...]
    unread: tuple[Unread, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
