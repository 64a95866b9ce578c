"""FHIR XML read into the JSON shape, strictly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import Malformed, TooLarge
from service.domain.issues import error
from service.fhir.json_text import Limits
from service.fhir.xml_text import decode_xml

PATIENT = """<?xml version="1.0" encoding="UTF-8"?>
<Patient xmlns="http://hl7.org/fhir">
  <!-- a comment -->
  <id value="p"/>
  <text>
    <status value="generated"/>
    <div xmlns="http://www.w3.org/1999/xhtml"><p class="x">A &lt; B &amp; <br/>C</p></div>
  </text>
  <contained>
    <Organization><id value="o"/><name value="Ward"/></Organization>
  </contained>
  <extension url="https://example.org/e"><valueDecimal value="6.30"/></extension>
  <active value="true"/>
  <name id="n1">
    <family value="Smith"><extension url="https://example.org/x"><valueCode value="y"/></extension></family>
    <given value="Ann"/>
    <given><extension url="https://example.org/absent"><valueCode value="unknown"/></extension></given>
  </name>
  <birthDate value="1970-01"/>
  <multipleBirthInteger value="2"/>
</Patient>"""


def test_a_resource_in_the_json_shape() -> None:
    assert decode_xml(PATIENT.encode()).resource == {
        "resourceType": "Patient",
        "id": "p",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">A &lt; B &amp; <br/>C</p></div>',
        },
        "contained": [{"resourceType": "Organization", "id": "o", "name": "Ward"}],
        "extension": [{"url": "https://example.org/e", "valueDecimal": Decimal("6.30")}],
        "active": True,
        "name": [
            {
                "id": "n1",
                "family": "Smith",
                "_family": {"extension": [{"url": "https://example.org/x", "valueCode": "y"}]},
                "given": ["Ann", None],
                "_given": [
                    None,
                    {"extension": [{"url": "https://example.org/absent", "valueCode": "unknown"}]},
                ],
            }
        ],
        "birthDate": "1970-01",
        "multipleBirthInteger": 2,
    }


def test_decimals_keep_their_digits() -> None:
    found = decode_xml(PATIENT.encode()).resource["extension"][0]["valueDecimal"]
    assert str(found) == "6.30"


def test_a_repeated_value_without_any_value_has_only_its_sibling() -> None:
    body = (
        b'<Patient xmlns="http://hl7.org/fhir"><name><given>'
        b'<extension url="https://example.org/absent"><valueCode value="unknown"/></extension></given>'
        b"</name></Patient>"
    )
    assert decode_xml(body).resource["name"] == [
        {"_given": [{"extension": [{"url": "https://example.org/absent", "valueCode": "unknown"}]}]}
    ]


def test_bundles_hold_resources() -> None:
    body = b"""<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>
      <entry><resource><Patient><active value="false"/></Patient></resource></entry></Bundle>"""
    assert decode_xml(body).resource == {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"resourceType": "Patient", "active": False}}],
    }


def test_nested_items_of_a_form() -> None:
    body = b"""<Questionnaire xmlns="http://hl7.org/fhir"><item><linkId value="g"/><type value="group"/>
      <item><linkId value="q"/><type value="integer"/><maxLength value="3"/><required value="true"/></item>
    </item></Questionnaire>"""
    assert decode_xml(body).resource["item"] == [
        {
            "linkId": "g",
            "type": "group",
            "item": [{"linkId": "q", "type": "integer", "maxLength": 3, "required": True}],
        }
    ]


def test_places_of_issues() -> None:
    document = decode_xml(PATIENT.encode())
    for expression, place in (
        ("Patient.name[0].given[1]", (17, 5)),
        ("Patient.name[0].given[7]", (14, 3)),
        ("Patient.multipleBirth", (20, 3)),
        ("Patient.contained[0].name", (10, 34)),
        ("Patient.nothing", (2, 1)),
        ("Patient.extension[0].value.ofType(decimal)", (12, 42)),
    ):
        assert document.position(expression) == place, expression
    (issue,) = document.placed((error("value", "x", "Patient.birthDate"),))
    assert (issue.line, issue.column) == (19, 3)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('<active value="yes"/>', {"active": "yes"}),
        ('<multipleBirthInteger value="1.5"/>', {"multipleBirthInteger": "1.5"}),
        ('<unheard value="x"/>', {"unheard": {"value": "x"}}),
        ('<active value="true"/><active value="false"/>', {"active": [True, False]}),
        ("<active/>", {"_active": {}}),
        ('<active value="true" odd="1"/>', {"active": True, "_active": {"odd": "1"}}),
    ],
)
def test_what_is_not_r4_is_kept_for_the_checks(written: str, kept: dict[str, object]) -> None:
    body = f'<Patient xmlns="http://hl7.org/fhir">{written}</Patient>'
    assert decode_xml(body.encode()).resource == {"resourceType": "Patient", **kept}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "this is not XML: no element found"),
        ("<Patient", "this is not XML: unclosed token"),
        ('<Patient xmlns="http://hl7.org/fhir"><a></b></Patient>', "this is not XML: mismatched tag"),
        ("<Patient/>", "is not in FHIR's namespace"),
        ('<Patient xmlns="http://hl7.org/fhir">text</Patient>', "text stands between elements"),
        (
            '<!DOCTYPE x [<!ENTITY a "aa">]><Patient xmlns="http://hl7.org/fhir"><id value="&a;"/></Patient>',
            "a document type is not allowed",
        ),
        ('<!DOCTYPE x SYSTEM "file:///etc/hostname"><x/>', "a document type is not allowed"),
        ('<Patient xmlns="http://hl7.org/fhir"><id value="&b;"/></Patient>', "undefined entity"),
        (
            '<Bundle xmlns="http://hl7.org/fhir"><entry><resource><Patient/><Patient/></resource></entry></Bundle>',
            "'resource' holds one resource",
        ),
    ],
)
def test_what_is_refused(body: str, said: str) -> None:
    with pytest.raises(Malformed) as fault:
        decode_xml(body.encode())
    assert said in fault.value.issues[0].message
    assert fault.value.issues[0].line is not None


def test_limits() -> None:
    nested = '<Patient xmlns="http://hl7.org/fhir">' + "<extension>" * 30 + "</extension>" * 30 + "</Patient>"
    with pytest.raises(TooLarge, match="levels"):
        decode_xml(nested.encode(), Limits(depth=20))
    with pytest.raises(TooLarge, match="bytes"):
        decode_xml(nested.encode(), Limits(size=20))
    deep = (
        f'<Patient xmlns="http://hl7.org/fhir"><text><div xmlns="http://www.w3.org/1999/xhtml">{"<b>" * 30}'
    )
    with pytest.raises(TooLarge, match="levels"):
        decode_xml(deep.encode(), Limits(depth=20))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        assert "resourceType" in decode_xml(body).resource
    except Malformed as fault:
        assert fault.issues


@given(st.integers(0, len(PATIENT) - 1), st.integers(0, 20), st.text(max_size=4))
def test_a_mutated_document_is_read_or_refused(at: int, length: int, put: str) -> None:
    body = (PATIENT[:at] + put + PATIENT[at + length :]).encode("utf-8", "surrogatepass")
    try:
        assert "resourceType" in decode_xml(body).resource
    except Malformed as fault:
        assert fault.issues
