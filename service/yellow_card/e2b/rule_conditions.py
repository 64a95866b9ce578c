"""What elements ask of one another inside their block: pairs, and elements that others make necessary.

Source: ICH E2B(R3) core list of data elements (conformance and business rules).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from service.domain.issues import error, warning
from service.yellow_card.e2b.places import join
from service.yellow_card.e2b.values import Attachment, Null

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.domain.issues import Issue
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.values import Content, Value

# Neither stands without the other: a code and its release, an amount and its unit, a text and its language.
PAIRS = (
    *((f"{stem}a", f"{stem}b") for stem in (
        "D.2.2", "D.2.2.1", "D.7.1.r.1", "D.8.r.2", "D.8.r.3", "D.8.r.6", "D.8.r.7", "D.9.2.r.1", "D.9.4.r.1",
        "D.10.2.2", "D.10.7.1.r.1", "D.10.8.r.2", "D.10.8.r.3", "D.10.8.r.6", "D.10.8.r.7", "E.i.1.1",
        "E.i.6",
        "F.r.2.2", "G.k.2.1.1", "G.k.2.1.2", "G.k.2.3.r.2", "G.k.2.3.r.3", "G.k.4.r.1", "G.k.4.r.6",
        "G.k.4.r.9.2", "G.k.4.r.10.2", "G.k.4.r.11.2", "G.k.5", "G.k.6", "G.k.7.r.2", "G.k.9.i.3.1",
        "G.k.9.i.3.2", "H.3.r.1", "H.5.r.1",
    )),
    ("C.1.9.1.r.1", "C.1.9.1.r.2"),
    ("C.1.11.1", "C.1.11.2"),
)  # fmt: skip
# The second is necessary where the first is given.
NEEDS = (
    ("C.1.6.1.r.2", "C.1.6.1.r.1"),
    ("D.9.1", "D.9.3"),
    ("F.r.3.2", "F.r.3.3"),
    ("F.r.3.3", "F.r.3.2"),
    ("G.k.3.1", "G.k.3.2"),
    ("G.k.4.r.2", "G.k.4.r.3"),
)
# Not both.
EXCLUDES = (
    ("D.8.r.2b", "D.8.r.3b"),
    ("D.10.8.r.2b", "D.10.8.r.3b"),
    ("G.k.2.1.1b", "G.k.2.1.2b"),
)
_NO_NUMBER = frozenset({"{cyclical}", "{asnecessary}", "{total}"})


@dataclass(frozen=True, slots=True)
class Scope:
    """One block of a case with its place, and what is asked of it."""

    group: str
    place: str
    content: Content
    guide: Guide

    def value(self, number: str) -> Value | None:
        """The element's value, None where it is missing or a null flavour."""
        value = self.content.get(number)
        return value if isinstance(value, str | Decimal | int | Attachment) else None

    def has(self, number: str) -> bool:
        """Whether anything is said, a null flavour included."""
        return number in self.content

    def fault(self, number: str, said: str, code: str = "business-rule") -> Issue:
        """What is wrong with an element of this block."""
        return error(code, f"{self._name(number)} {said}", join(self.place, number), number)

    def doubt(self, number: str, said: str) -> Issue:
        """What looks wrong with an element of this block and does not stop it."""
        return warning("business-rule", f"{self._name(number)} {said}", join(self.place, number), number)

    def missing(self, number: str, why: str) -> Issue:
        """An element that is not there and must be."""
        return self.fault(number, f"is missing: {why}", "required")

    def _name(self, number: str) -> str:
        element = self.guide.elements.get(number)
        return f"{number} ({element.name if element is not None else self.guide.names[number]})"


def check_block(scope: Scope) -> Iterator[Issue]:
    """What is wrong inside one block."""
    for element in scope.guide.members[scope.group]:
        if element.conformance in ("mandatory", "required") and not scope.has(element.number):
            flavours = " or ".join(sorted(element.nulls))
            instead = f"; where it is not known, the null flavour {flavours}" if flavours else ""
            yield scope.missing(element.number, f"it is {element.conformance}{instead}")
    for first, second in PAIRS:
        if scope.has(first) != scope.has(second):
            given, wanted = (first, second) if scope.has(first) else (second, first)
            yield scope.missing(wanted, f"it goes with {given}; give both or neither")
    for first, second in NEEDS:
        if scope.value(first) is not None and not scope.has(second):
            yield scope.missing(second, f"{first} asks for it")
    for first, second in EXCLUDES:
        if scope.has(first) and scope.has(second):
            yield scope.fault(second, f"stands beside {first}; give one of them")
    for rule in _BLOCKS.get(scope.group, ()):
        yield from rule(scope)


def _drug_history(scope: Scope) -> Iterator[Issue]:
    if not scope.has("D.8.r.1"):
        yield scope.missing("D.8.r.1", "a past drug has a name, or the null flavour UNK or NA")


def _autopsy(scope: Scope) -> Iterator[Issue]:
    if not scope.has("D.9.4.r.1b") and not scope.has("D.9.4.r.2"):
        yield scope.missing("D.9.4.r.2", "a cause of death has a code or a text")


def _test(scope: Scope) -> Iterator[Issue]:
    if not scope.has("F.r.1"):
        yield scope.missing("F.r.1", "a test has a date; where it is not known, the null flavour UNK")
    if not scope.has("F.r.2.1") and not scope.has("F.r.2.2b"):
        yield scope.missing("F.r.2.1", "a test has a name, as text or as a code (F.r.2.2b)")
    if not any(scope.has(number) for number in ("F.r.3.1", "F.r.3.2", "F.r.3.4")):
        yield scope.missing("F.r.3.4", "a test has a result: F.r.3.1, F.r.3.2 or F.r.3.4")


def _dosage(scope: Scope) -> Iterator[Issue]:
    unit = scope.value("G.k.4.r.3")
    if unit is not None and unit not in _NO_NUMBER and not scope.has("G.k.4.r.2"):
        yield scope.missing("G.k.4.r.2", "G.k.4.r.3 is a unit of time and asks for its number")
    if unit in _NO_NUMBER and scope.has("G.k.4.r.2"):
        yield scope.fault("G.k.4.r.2", f"does not go with {unit}; leave it out")


def _indication(scope: Scope) -> Iterator[Issue]:
    if isinstance(scope.content.get("G.k.7.r.1"), Null) and not scope.has("G.k.7.r.2b"):
        yield scope.doubt("G.k.7.r.2b", "is missing: where no indication is told, a term says that it is not")


def _source(scope: Scope) -> Iterator[Issue]:
    if scope.value("C.2.r.5") == "1" and not scope.has("C.2.r.3"):
        yield scope.missing("C.2.r.3", "the primary source's country is asked for")


_BLOCKS = {
    "C.2.r": (_source,),
    "D.8.r": (_drug_history,),
    "D.9.4.r": (_autopsy,),
    "F.r": (_test,),
    "G.k.4.r": (_dosage,),
    "G.k.7.r": (_indication,),
}
