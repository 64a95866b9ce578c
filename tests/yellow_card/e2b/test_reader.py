"""Messages from outside: reference messages read, what is foreign kept apart, what is hostile refused."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from service.domain.errors import Malformed, TooLarge, Unprocessable
from service.yellow_card.e2b.acknowledgement import read_acknowledgement
from service.yellow_card.e2b.reader import read
from service.yellow_card.e2b.rules import check
from service.yellow_card.e2b.skeleton import HL7
from service.yellow_card.e2b.values import Null
from service.yellow_card.e2b.writer import write
from service.yellow_card.e2b.xml_reading import XmlLimits, read_xml
from tests.yellow_card.e2b.material import NOW, changed, good, guide, reference, schemas

if TYPE_CHECKING:
    from service.yellow_card.e2b.batch import Batch

SAMPLES = [f"FAERS2022Scenario{number}.xml" for number in (1, 2, 3, 4, 7, 8)]
GOOD = write(good(), guide())


def text() -> str:
    return GOOD.decode()


# --- reference messages ------------------------------------------------------------------------------------


def test_the_smallest_message_of_the_reference_material_is_read_whole() -> None:
    batch = read(reference("minimal-uk-icsr.xml").read_bytes(), guide())
    (case,) = batch.cases
    assert batch.unread == ()
    assert batch.header == {
        "N.1.1": "1",
        "N.1.2": "EXAMPLE-BATCH-1",
        "N.1.3": "SENDER-TBC",
        "N.1.4": "RECEIVER-TBC",
        "N.1.5": "20260105101500+0000",
    }
    assert case["E.i"][0]["E.i.1.1a"] == "low blood pressure after sedation"
    assert [issue.key for issue in check(batch, guide(), NOW)] == ["D.7.2"]
    assert batch.lines["N.2.r[1].E.i[1].E.i.2.1b"] == 42


@pytest.mark.parametrize("name", SAMPLES)
def test_a_regulators_sample_is_read_and_its_own_extensions_are_listed(name: str) -> None:
    body = reference("samples", name).read_bytes()
    batch = read(body, guide())
    labelled = set(re.findall(r"<!--\s*([CDEFGH]\.[\w.]*\w)\s*:", body.decode())) & set(guide().elements)
    again = read(write(batch, guide()), guide())
    assert (again.header, again.cases, again.unread) == (batch.header, batch.cases, ())
    # Comments that stand where the sample has no such value, or has it in a dosage.
    assert labelled - _numbers(batch) <= {"C.2.r.1.3", "D.2.2.1b", "G.k.2.4"}
    assert all(one.line and one.path.startswith(("PORR_IN049016UV", "./PORR")) for one in batch.unread)
    assert not any("FDA" not in one.fragment and _is_labelled(one.fragment) for one in batch.unread)


def _numbers(batch: Batch) -> set[str]:
    return {place.rpartition("].")[2].partition("[")[0] for place in batch.lines} | set(batch.header)


def _is_labelled(fragment: str) -> bool:
    return "2.16.840.1.113883.3.989.2.1.1.19" in fragment and "989.5.1" not in fragment


def test_a_samples_own_extensions_are_exactly_these() -> None:
    batch = read(reference("samples", "FAERS2022Scenario4.xml").read_bytes(), guide())
    steps = [one.path.rpartition("/")[2] for one in batch.unread]
    assert sorted(steps) == [
        "@nullFlavor",
        "authorization[2]",
        "authorization[3]",
        "code",
        "component[4]",
        "component[5]",
        "outboundRelationship2[9]",
        "outboundRelationship2[9]",
        "performer",
        "reference",
        "subjectOf2[1]",
        "subjectOf2[2]",
        "telecom[2]",
    ]


# --- what is foreign ---------------------------------------------------------------------------------------


def test_a_code_of_another_dictionary_is_not_read_as_meddra() -> None:
    body = text().replace("2.16.840.1.113883.6.163", "2.16.840.1.113883.6.96").encode()
    batch = read(body, guide())
    assert "E.i.2.1b" not in batch.cases[0]["E.i"][0]
    assert [one.path.rpartition("/")[2] for one in batch.unread] == ["value"]
    missing = {issue.key for issue in check(batch, guide(), NOW) if issue.code == "required"}
    assert {"E.i.2.1a", "E.i.2.1b"} <= missing


def test_a_second_value_where_one_may_stand_is_listed() -> None:
    body = text().replace("<statusCode", "<text>another</text><statusCode").encode()
    batch = read(body, guide())
    assert batch.cases[0]["H.1"] == "Synthetic narrative."
    assert [(one.path.rpartition("/")[2], one.fragment.count("another")) for one in batch.unread] == [
        ("text[2]", 1)
    ]


def test_an_attribute_that_no_element_accounts_for_is_listed() -> None:
    body = text().replace("<availabilityTime ", '<availabilityTime operator="X" ').encode()
    assert [one.path.rpartition("/")[2] for one in read(body, guide()).unread] == ["@operator"]


def test_an_assessment_of_a_drug_that_is_not_there_is_listed() -> None:
    body = re.sub(r'(<productUseReference[^>]*>\s*<id root=")[^"]+', r"\g<1>nobody", text()).encode()
    batch = read(body, guide())
    assert "G.k.1" not in batch.cases[0]["G.k"][0]
    assert [one.path.rpartition("/")[2] for one in batch.unread] == ["component[1]"] or [
        one.path.rpartition("/")[2] for one in batch.unread
    ] == ["component"]


def test_prefixes_and_comments_make_no_difference() -> None:
    prefixed = re.sub(r"<(/?)(\w)", r"<\1v:\2", text().partition("?>")[2]).replace("xmlns=", "xmlns:v=")
    commented = prefixed.replace("<v:text>", "<!-- a -->\n<v:text><!-- b -->")
    batch = read(commented.encode(), guide())
    assert (batch.cases, batch.unread) == (good().cases, ())


def test_organizers_sent_once_for_each_drug_are_all_read() -> None:
    drugs = [{"G.k.1": "1", "G.k.2.2": "One"}, {"G.k.1": "2", "G.k.2.2": "Two"}]
    batch = changed(good(), G_k=drugs)
    root = etree.fromstring(write(batch, guide()))
    spaces = {"h": HL7}
    role: Any = root.find(".//h:primaryRole", spaces)
    wrapper = role.findall("h:subjectOf2", spaces)[-1]
    twin = copy.deepcopy(wrapper)
    for one, index in ((wrapper, 1), (twin, 0)):
        organizer = one.find("h:organizer", spaces)
        organizer.remove(organizer.findall("h:component", spaces)[index])
    role.append(twin)
    body = etree.tostring(root)
    assert (body.count(b"<organizer"), read(body, guide()).unread) == (3, ())
    assert read(body, guide()).cases == batch.cases


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<ichicsr/>", "older format E2B\\(R2\\)"),
        (b'<MCCI_IN200101UV01 xmlns="urn:hl7-org:v3"/>', "an acknowledgement, not a report"),
        (b'<MCCI_IN200100UV01 xmlns="urn:other"/>', "in the namespace urn:hl7-org:v3"),
        (b"<html/>", "the document is a 'html'"),
    ],
)
def test_another_document_is_refused_by_name(body: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read(body, guide())


# --- what is hostile ---------------------------------------------------------------------------------------

BOMB = "<!DOCTYPE x [" + "".join(
    f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha" * 50}">' for n in range(12)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>'
REMOTE = '<!DOCTYPE MCCI_IN200100UV01 SYSTEM "http://127.0.0.1:9/evil.dtd">'
PARAMETER = '<!DOCTYPE x [<!ENTITY % far SYSTEM "http://127.0.0.1:9/evil.dtd"> %far;]>'


@pytest.mark.parametrize(
    "doctype", [BOMB, OUTSIDE, REMOTE, PARAMETER], ids=["bomb", "file", "remote", "parameter"]
)
@pytest.mark.parametrize("entity", ["&e11;", "&file;", ""])
def test_a_document_type_is_refused_whatever_it_says(doctype: str, entity: str) -> None:
    body = text().replace("?>\n", f"?>\n{doctype}\n", 1).replace("Synthetic", f"{entity}Synthetic").encode()
    for reading in (lambda: read(body, guide()), lambda: read_acknowledgement(body, guide())):
        with pytest.raises(Malformed, match="a document type is not allowed") as caught:
            reading()
        assert caught.value.issues[0].line == 2


def test_an_entity_without_a_document_type_is_refused() -> None:
    with pytest.raises(Malformed, match="undefined entity"):
        read(text().replace("Synthetic", "&file;").encode(), guide())


def test_a_hundred_megabytes_are_refused_unread() -> None:
    with pytest.raises(TooLarge, match="has 100000000 bytes; the limit is 20000000"):
        read(b"<" * 100_000_000, guide())


def test_nesting_and_number_are_bounded() -> None:
    with pytest.raises(TooLarge, match="nests more than 100 levels"):
        read(b"<a>" * 101, guide())
    with pytest.raises(TooLarge, match="more than 5 elements"):
        read_xml(b"<a>" + b"<b/>" * 6 + b"</a>", XmlLimits(elements=5))


def test_xml_inclusions_and_stylesheets_are_only_text() -> None:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    body = (
        text()
        .replace("<statusCode", include + "<statusCode")
        .replace("?>\n", '?>\n<?xml-stylesheet href="x"?>\n', 1)
    )
    batch = read(body.encode(), guide())
    assert ["root:" in one.fragment for one in batch.unread] == [False]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the message is empty"),
        (b" \n", "the message is empty"),
        (b"not XML", "syntax error|not well-formed"),
        (b"<a><b></a>", "mismatched tag"),
        (b"<a/>trailing", "junk after document element"),
        (b"<a>\x01</a>", "not well-formed"),
        (
            b'<?xml version="1.0" encoding="UTF-8"?><a>\xe9</a>',
            "byte 42 is not UTF-8; send the message in UTF-8",
        ),
        (
            b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>',
            "the encoding ISO-8859-1 is not read here",
        ),
        (b'<?xml version="1.0" encoding="windows-1252"?><a/>', "the encoding windows-1252 is not read here"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "the encoding UTF-7 is not read here"),
        (b'<?xml version="1.0" encoding="UTF-16"?><a/>', "says it is in UTF-16 and is in UTF-8"),
        (
            '<?xml version="1.0" encoding="UTF-8"?><a/>'.encode("utf-16"),
            "says it is in UTF-8 and is in UTF-16",
        ),
        ("<a/>".encode("utf-32"), "UTF-32, which is not read"),
        (b"\xff\xfe<\x00a\x00/\x00>", "byte 5 is not UTF-16|not UTF-16"),
        (b"\x00\x01\x02", "not well-formed|no element|syntax"),
    ],
)
def test_what_is_not_xml_or_not_in_its_encoding_is_refused_with_the_reason(body: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read_xml(body)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_both_encodings_are_read_with_and_without_a_mark(encoding: str) -> None:
    batch = changed(good(), H_1="Näïve 漢字 🙂")
    written = write(batch, guide()).decode()
    if encoding.startswith("utf-16"):
        written = written.replace('encoding="UTF-8"', 'encoding="UTF-16"')
    assert read(written.encode(encoding), guide()).cases == batch.cases


def test_an_attachment_that_is_no_base64_is_kept_and_refused_by_the_rules() -> None:
    body = text().replace(
        '<component typeCode="COMP">',
        '<reference typeCode="REFR"><document classCode="DOC" moodCode="EVN">'
        '<code code="2" codeSystem="2.16.840.1.113883.3.989.2.1.1.27"/>'
        '<text mediaType="application/pdf" representation="B64">%%%</text></document></reference>'
        '<component typeCode="COMP">',
        1,
    )
    batch = read(body.encode(), guide())
    assert batch.cases[0]["C.4.r"] == [{"C.4.r.2": "%%%"}]
    assert [issue.key for issue in check(batch, guide(), NOW) if issue.fails] == ["C.4.r.2"]


def test_what_xml_cannot_carry_is_never_written() -> None:
    with pytest.raises(Unprocessable, match=r"U\+0000, which XML cannot carry"):
        write(changed(good(), H_1="a\x00"), guide())


def test_a_null_flavour_beside_a_value_is_listed_and_the_value_read() -> None:
    body = text().replace("<text>", '<text nullFlavor="UNK">').encode()
    batch = read(body, guide())
    assert batch.cases[0]["H.1"] == "Synthetic narrative."
    assert [one.path.rpartition("/")[2] for one in batch.unread] == ["@nullFlavor"]


def test_a_null_flavour_where_none_is_allowed_is_read_for_the_rules() -> None:
    coded = 'code="99999999" codeSystem="2.16.840.1.113883.6.163" codeSystemVersion="0.0"'
    assert coded in text()
    body = text().replace(coded, 'nullFlavor="UNK" codeSystem="2.16.840.1.113883.6.163"').encode()
    assert schemas().check(body) == ()
    batch = read(body, guide())
    assert batch.cases[0]["E.i"][0]["E.i.2.1b"] == Null("UNK")
    assert {issue.key for issue in check(batch, guide(), NOW)} == {"E.i.2.1a", "E.i.2.1b"}


def test_what_is_foreign_is_listed_up_to_a_limit_and_then_counted() -> None:
    body = text().replace("<statusCode", "<x/>" * 1500 + "<statusCode").encode()
    unread = read(body, guide()).unread
    assert len(unread) == 1001
    assert unread[-1].path.startswith("and 500 more after line ")


def test_a_finding_about_something_missing_bears_the_line_of_its_block() -> None:
    batch = read(text().replace('<value xsi:type="BL" value="true"/>', "", 1).encode(), guide())
    (issue,) = check(batch, guide(), NOW)
    assert (issue.key, issue.line) == ("E.i.3.2c", batch.lines["N.2.r[1].E.i[1].E.i.4"])
