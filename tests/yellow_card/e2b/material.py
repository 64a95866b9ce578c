"""What tests of E2B(R3) share: the table, a good message, a value for each element, reference material."""

from __future__ import annotations

import copy
import functools
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.adapters.xsd import Schemas
from service.yellow_card.e2b.batch import Batch
from service.yellow_card.e2b.elements import CASE, Element, Guide, read_guide
from service.yellow_card.e2b.values import Attachment, Content, Null, Value

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "e2b"
NOW = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)
CREATED = "20260801085900+0000"
# No MedDRA is shipped: codes and releases in tests are invented, and are nobody's.
CODE, RELEASE = "99999999", "0.0"


@functools.cache
def table() -> dict[str, Any]:
    """The table of elements as it lies on disk."""
    content: dict[str, Any] = json.loads((ROOT / "mappings/shared/e2b-r3.json").read_bytes())
    return content


@functools.cache
def guide() -> Guide:
    """The table of elements."""
    return read_guide(table())


def reference(*parts: str) -> Path:
    """A file or folder of the reference material; the test is skipped where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the reference material is not here: ../shared/e2b/{'/'.join(parts)}")
    return path


@functools.cache
def _schemas(folder: Path) -> Schemas:
    return Schemas(folder)


def schemas() -> Schemas:
    """ICH's schemas; the test is skipped where they are absent."""
    return _schemas(reference("xsd"))


def good() -> Batch:
    """A message without a fault or a doubt: one case, one reaction, one drug, one source."""
    header: Content = {
        "N.1.1": "1",
        "N.1.2": "BATCH-1",
        "N.1.3": "SENDER",
        "N.1.4": "RECEIVER",
        "N.1.5": CREATED,
    }
    case: Content = {
        "N.2.r.1": "GB-EXAMPLETRUST-0001",
        "N.2.r.2": "SENDER",
        "N.2.r.3": "RECEIVER",
        "N.2.r.4": CREATED,
        "C.1.1": "GB-EXAMPLETRUST-0001",
        "C.1.2": CREATED,
        "C.1.3": "1",
        "C.1.4": "20260730",
        "C.1.5": "20260731",
        "C.1.6.1": False,
        "C.1.7": True,
        "C.1.8.1": "GB-EXAMPLETRUST-0001",
        "C.1.8.2": "2",
        "C.1.9.1": Null("NI"),
        "C.2.r": [{"C.2.r.3": "GB", "C.2.r.4": "1", "C.2.r.5": "1"}],
        "C.3.1": "3",
        "C.3.2": "Example NHS Trust",
        "D.1": Null("MSK"),
        "D.7.2": Null("UNK"),
        "E.i": [
            {
                "E.i.1.1a": "sleepy after the injection",
                "E.i.1.1b": "eng",
                "E.i.2.1a": RELEASE,
                "E.i.2.1b": CODE,
                "E.i.3.2a": Null("NI"),
                "E.i.3.2b": Null("NI"),
                "E.i.3.2c": True,
                "E.i.3.2d": Null("NI"),
                "E.i.3.2e": Null("NI"),
                "E.i.3.2f": Null("NI"),
                "E.i.4": "20260729",
                "E.i.7": "1",
            }
        ],
        "G.k": [{"G.k.1": "1", "G.k.2.2": "Example medicine"}],
        "H.1": "Synthetic narrative.",
    }
    return Batch(header, (case,))


def changed(batch: Batch, **values: object) -> Batch:
    """The batch with elements of its first case set; None takes one away. Points are underscores."""
    copied = copied_of(batch)
    for name, value in values.items():
        number = name.replace("_", ".")
        if value is None:
            copied.cases[0].pop(number, None)
        else:
            copied.cases[0][number] = value
    return copied


def copied_of(batch: Batch) -> Batch:
    """The batch once more, to be changed."""
    return Batch(copy.deepcopy(batch.header), copy.deepcopy(batch.cases))


def path_to(group: str) -> tuple[str, ...]:
    """The groups from the case down to a group."""
    path: list[str] = []
    while group not in ("", CASE):
        path.insert(0, group)
        group = guide().groups[group]
    return tuple(path)


def scope(batch: Batch, group: str) -> Content:
    """The first item of a group in the first case, made where it is not there."""
    if group == "":
        return batch.header
    content = batch.cases[0]
    for step in path_to(group):
        items = content.setdefault(step, [])
        if not items:
            items.append({"G.k.9.i.1": 1} if step == "G.k.9.i" else {})
        content = items[0]
    return content


def put(batch: Batch, element: Element, value: Value) -> Batch:
    """The batch with a value set where the element stands."""
    batch = copied_of(batch)
    if element.number in guide().groups:
        scope(batch, guide().groups[element.number])[element.number] = [value]
    else:
        scope(batch, element.group)[element.number] = value
    return batch


def taken(batch: Batch, element: Element) -> Value | None:
    """The value that stands where the element does."""
    found = scope(batch, guide().groups.get(element.number, element.group)).get(element.number)
    value: Value | None = found[0] if isinstance(found, list) else found
    return value


_EXAMPLES: dict[str, Value] = {
    "text": 'Ünder & <over> "it"',
    "token": "ID-1",
    "telecom": "+44 20 7946 0000",
    "date": "20260728",
    "country": "IE",
    "language": "fra",
    "unit": "mg",
    "meddra-code": "99999998",
    "meddra-version": "0.1",
    "qualified": ">=12.5",
    "document": Attachment("application/pdf", bytes(range(256)), "DF"),
}


def example(element: Element) -> Value:
    """A value for an element that differs from the good message's."""
    if element.number == "G.k.9.i.1":
        return 1
    if element.kind == "date" and element.precision == "second":
        return "20260801085859+0100"
    if element.kind == "boolean":
        return "false" not in (element.values or {})
    if element.values:
        return list(element.values)[-1]
    if element.kind == "number":
        return Decimal(150) if element.whole else Decimal("1.5")
    value = _EXAMPLES[element.kind]
    return value[: element.length] if isinstance(value, str) else value


def every() -> list[Element]:
    """All elements but the number that says which reaction a row of the matrix is about."""
    return [element for element in guide().elements.values() if element.number != "G.k.9.i.1"]
