"""What the writer writes, the reader reads: each element alone, each null flavour, and whole messages."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.yellow_card.e2b.batch import Batch
from service.yellow_card.e2b.elements import CASE, Element
from service.yellow_card.e2b.reader import read
from service.yellow_card.e2b.values import Attachment, Null
from service.yellow_card.e2b.writer import write
from tests.yellow_card.e2b.material import (
    SHARED,
    every,
    example,
    good,
    guide,
    put,
    reference,
    schemas,
    taken,
)

if TYPE_CHECKING:
    from service.yellow_card.e2b.values import Content, Value

NULLS = [(element, flavour) for element in every() for flavour in sorted(element.nulls)]


def test_the_good_message_survives() -> None:
    batch = good()
    again = read(write(batch, guide()), guide())
    assert (again.header, again.cases, again.unread) == (batch.header, batch.cases, ())


@pytest.mark.parametrize("element", every(), ids=lambda element: element.number)
def test_each_element_survives_alone(element: Element) -> None:
    value = example(element)
    batch = put(good(), element, value)
    again = read(write(batch, guide()), guide())
    assert (again.header, again.cases, again.unread) == (batch.header, batch.cases, ())
    assert taken(again, element) == value
    assert type(taken(again, element)) is type(value)


@pytest.mark.parametrize("element", every(), ids=lambda element: element.number)
def test_each_element_alone_is_valid_by_the_schemas(element: Element) -> None:
    assert schemas().check(write(put(good(), element, example(element)), guide())) == ()


@pytest.mark.parametrize(("element", "flavour"), NULLS, ids=lambda it: getattr(it, "number", it))
def test_each_null_flavour_survives_and_is_valid(element: Element, flavour: str) -> None:
    batch = put(good(), element, Null(flavour))
    body = write(batch, guide())
    again = read(body, guide())
    assert (again.header, again.cases, again.unread) == (batch.header, batch.cases, ())
    assert taken(again, element) == Null(flavour)
    if SHARED.exists():
        assert schemas().check(body) == ()


_TEXTS = (
    "plain", "Ünïcode ‐ 漢字 🙂", "<b>&amp;</b> \"quoted\" 'it'", "  spaces kept  ",
    "line\nbreak\r\nand\ttab",
    "]]>", "<!-- no comment -->", "{N.1.1}", "%s", "0", "a" * 60,
)  # fmt: skip
_DATES = ("2026", "202607", "20260730", "2026073010", "20260730101500+0100", "20260730101500.5-0330")
_NUMBERS = ("0", "1", "0.50", "9999", "12.345")


def _any_value(element: Element, draw: Random) -> Value:
    if element.nulls and draw.random() < 0.3:
        return Null(draw.choice(sorted(element.nulls)))
    number = draw.choice(_NUMBERS)
    values: dict[str, Value] = {
        "text": draw.choice(_TEXTS)[: element.length or 60],
        "token": draw.choice(("A.1", "x-2", "00000")),
        "telecom": draw.choice(("+44 20 7946 0000", "o'neil@example.org", "0(1)2/3")),
        "number": Decimal(number),
        "date": draw.choice(_DATES),
        "country": draw.choice(sorted(guide().countries)),
        "language": draw.choice(("eng", "cym")),
        "unit": draw.choice(list(element.values or ("mg", "mL", "{DF}", "10*3/uL", "%"))),
        "meddra-code": "99999997",
        "meddra-version": draw.choice(("0.1", "99.9")),
        "qualified": draw.choice(("", ">", ">=", "<", "<=")) + number,
        "document": Attachment("text/plain", draw.randbytes(9), draw.choice(("", "DF"))),
        "boolean": draw.choice(list(element.values or ("",))) == "true",
        "code": draw.choice(list(element.values or ("",))),
    }
    return values[element.kind]


def _any_content(group: str, reactions: int, draw: Random, density: float) -> Content:
    content: Content = {
        element.number: _any_value(element, draw)
        for element in guide().members[group]
        if element.number not in guide().groups and element.kind != "reaction" and draw.random() < density
    }
    for inner in guide().inner(group):
        leaf = guide().elements.get(inner)
        count = reactions if inner == "E.i" else draw.randint(0, 2)
        found: list[Any]
        if inner == "G.k.9.i":
            rows = sorted(draw.sample(range(1, reactions + 1), min(count, reactions)))
            found = [{"G.k.9.i.1": row, **_said(inner, reactions, draw, density)} for row in rows]
        elif leaf is not None:
            found = [_any_value(leaf, draw) for _ in range(count)]
        elif inner == "G.k.9.i.2.r":
            found = [_said(inner, reactions, draw, density) for _ in range(count)]
        else:
            found = [_any_content(inner, reactions, draw, density) for _ in range(count)]
        if found:
            content[inner] = found
    for second, first in (("D.8.r.3", "D.8.r.2"), ("D.10.8.r.3", "D.10.8.r.2"), ("G.k.2.1.2", "G.k.2.1.1")):
        # A drug has one product code.
        if any(first + letter in content for letter in "ab"):
            for letter in "ab":
                content.pop(second + letter, None)
    return content


def _said(group: str, reactions: int, draw: Random, density: float) -> Content:
    """A content that says something: rows of the matrix exist by what they say."""
    while not (content := _any_content(group, reactions, draw, max(density, 0.2))):
        continue
    return content


def any_batch(seed: int) -> Batch:
    """A message that is well-formed, sensible or not; every element has its turn."""
    draw = Random(seed)  # noqa: S311 - not for secrets
    header: Content = {element.number: _any_value(element, draw) for element in guide().members[""]}
    cases = []
    for number in range(draw.randint(1, 3)):
        content = _any_content(CASE, draw.randint(1, 3), draw, draw.choice((0.1, 0.5, 0.95)))
        # What the schemas need of every message.
        fixed = {name: good().cases[0][name] for name in ("N.2.r.1", "N.2.r.2", "N.2.r.3", "N.2.r.4")}
        cases.append({**content, **fixed, "C.1.1": f"GB-EXAMPLE-{number}"})
    return Batch(header, tuple(cases))


SEEDS = st.integers(0, 2**32)


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_any_message_survives(seed: int) -> None:
    batch = any_batch(seed)
    body = write(batch, guide())
    again = read(body, guide())
    assert (again.header, again.cases, again.unread) == (batch.header, batch.cases, ())
    assert write(again, guide()) == body


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_any_message_is_valid_by_the_schemas(seed: int) -> None:
    reference("xsd")
    assert schemas().check(write(any_batch(seed), guide())) == ()


def test_random_messages_leave_no_element_out() -> None:
    seen: set[str] = set()

    def gather(content: Content) -> None:
        for number, value in content.items():
            seen.add(number)
            for item in value if isinstance(value, list) else ():
                if isinstance(item, dict):
                    gather(item)

    for seed in range(20):
        for case in any_batch(seed).cases:
            gather(case)
    assert {element.number for element in guide().elements.values() if element.group} <= seen
