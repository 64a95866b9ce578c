"""The table of elements: it fits its message, its XPaths hold, and it agrees with its sources."""

from __future__ import annotations

import csv
import re
from functools import cache
from typing import Any

import pytest
from lxml import etree

from service.domain.errors import ContentFault
from service.yellow_card.e2b.elements import Element, read_guide
from service.yellow_card.e2b.skeleton import HL7, XSI
from service.yellow_card.e2b.values import Attachment, as_text
from service.yellow_card.e2b.writer import write
from tests.yellow_card.e2b.material import every, example, good, guide, put, reference, table
from tools import generate_e2b

SPACES = {"h": HL7, "xsi": XSI}
_STEP = re.compile(r"(?<![\w@:'.-])(?!text\(|or\b|substring)([A-Za-z_]\w*)(?=[\[/)\]]|$)")


def _xpath(written: str, message: bytes) -> list[str]:
    """What an XPath without name spaces finds in a message, with the first of every repeat."""
    path = re.sub(r"\[[rik]\]", "[1]", written)
    kept = re.split(r"('[^']*')", path)
    path = "".join(part if part.startswith("'") else _STEP.sub(r"h:\1", part) for part in kept)
    path = re.sub(r"self::(\w+)", r"self::h:\1", path)
    found: Any = etree.fromstring(message).xpath(path, namespaces=SPACES)
    return [found] if isinstance(found, str) else [str(one) for one in found]


def _shown(element: Element) -> str:
    value = example(element)
    if isinstance(value, Attachment):
        return ""
    return as_text(value).lstrip("<>=")


def test_the_table_has_every_element_of_the_core_list() -> None:
    assert len(guide().elements) == 223


def test_the_table_on_disk_has_the_xpaths_of_its_message() -> None:
    written = (generate_e2b.TABLE).read_text(encoding="utf-8")
    assert written == generate_e2b.text(generate_e2b.filled(table()))


@pytest.mark.parametrize("element", every(), ids=lambda element: element.number)
def test_an_elements_xpath_leads_to_its_value(element: Element) -> None:
    message = write(put(good(), element, example(element)), guide())
    found = _xpath(element.xpath, message)
    assert found[:1] == [_shown(element)] or (element.kind == "document" and len(found) == 1)


def test_a_table_that_does_not_fit_its_message_is_refused() -> None:
    broken = {**table(), "elements": [row for row in table()["elements"] if row["number"] != "H.1"]}
    with pytest.raises(ContentFault, match=r"differ in H\.1"):
        read_guide(broken)
    with pytest.raises(ContentFault, match="'elements'"):
        read_guide({})


@cache
def _core() -> dict[str, list[str]]:
    with reference("rules", "ich-core-data-elements-v1.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row[2].strip(): row for row in csv.reader(file) if len(row) > 18 and row[0] == "ICH"}


@pytest.mark.parametrize("element", list(guide().elements.values()), ids=lambda element: element.number)
def test_an_element_agrees_with_the_core_list(element: Element) -> None:
    row = _core()[element.number]
    length, allowed, conformance = row[4], row[6], row[7].strip().lower()
    flags = dict(zip(("NI", "MSK", "UNK", "NA", "ASKU", "NASK", "NINF", "PINF"), row[11:19], strict=True))
    flagged = {name for name, flag in flags.items() if flag.strip().lower().startswith("y")}
    lengths = [int(number) for number in re.findall(r"\d+", re.sub(r"R\d", "", length.replace("E2B", "")))]
    assert element.length in lengths or (not lengths and element.length is None)
    assert flagged <= element.nulls
    assert all(name in flagged or name in allowed for name in element.nulls)
    assert conformance.startswith(element.conformance) or element.condition
    assert (conformance in ("mandatory", "required")) == (element.conformance in ("mandatory", "required"))


@cache
def _mfds() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    number = ""
    with reference("rules", "mfds-icsr-element-xpath.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            number = row[1].strip().replace("\n", "") or number
            if len(row) > 7 and row[6].strip() == "Value" and row[7].strip():
                found.setdefault(number, []).append(row[7].strip())
    return found


def _of_mfds(path: str, message: bytes) -> list[str]:
    """The list's XPath, with its placeholders filled and its claims about the header left out."""
    path = path.replace("[@xsi:schemaLocation='urn:hl7-org:v3 MCCI_IN200100UV01.xsd']", "")
    root: Any = etree.fromstring(message)
    drug = root.xpath("//h:component/h:substanceAdministration/h:id/@root", namespaces=SPACES)
    event = root.xpath("//h:subjectOf2/h:observation/h:id/@root", namespaces=SPACES)
    path = path.replace("UUID of k-th drug", str(drug[0])).replace("UUID of i-th reaction", str(event[0]))
    return _xpath(path, message)


@pytest.mark.parametrize("element", every(), ids=lambda element: element.number)
def test_another_regulators_xpath_finds_the_value(element: Element) -> None:
    """An independent list of places: where it looks for an element, our message has it."""
    paths = _mfds().get(element.number)
    if not paths:
        pytest.skip("the list has no place for it")
    message = write(put(good(), element, example(element)), guide())
    found = [value for path in paths for value in _of_mfds(path, message)]
    if element.kind == "document":
        assert len(found) == 1
    else:
        assert _shown(element) in found
