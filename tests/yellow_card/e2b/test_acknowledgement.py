"""Acknowledgements read and matched with what was sent."""

from __future__ import annotations

import pytest

from service.domain.errors import Malformed
from service.yellow_card.e2b.acknowledgement import (
    Acknowledgement,
    CaseAnswer,
    Matched,
    Outcome,
    Said,
    Sent,
    match,
    read_acknowledgement,
    sentences,
)
from tests.yellow_card.e2b.material import guide, reference

HEAD = '<MCCI_IN200101UV01 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0">'
ICH = "2.16.840.1.113883.3.989.2.1.3"


def case(message: str, code: str, text: str = "") -> str:
    detail = f"<acknowledgementDetail><text>{text}</text></acknowledgementDetail>" if text else ""
    return (
        f'<MCCI_IN000002UV01><id root="{ICH}.19" extension="L-{message}"/><acknowledgement typeCode="{code}">'
        f'<targetMessage><id root="{ICH}.1" extension="{message}"/></targetMessage>{detail}</acknowledgement>'
        "</MCCI_IN000002UV01>"
    )


def answer(batch: str, code: str, *cases: str, text: str = "") -> bytes:
    detail = f"<acknowledgementDetail><text>{text}</text></acknowledgementDetail>" if text else ""
    return (
        f'{HEAD}<id root="{ICH}.20" extension="A-1"/>{"".join(cases)}<acknowledgement typeCode="{code}">'
        f'<targetBatch><id root="{ICH}.22" extension="{batch}"/></targetBatch>{detail}</acknowledgement>'
        "</MCCI_IN200101UV01>"
    ).encode()


def test_a_regulators_refusal_is_read_whole_with_the_elements_it_names() -> None:
    body = reference("samples", "R3ack-negative.ack").read_bytes()
    assert read_acknowledgement(body, guide()) == Acknowledgement(
        identifier="34137236",
        batch="FAERS2022Scenario2-4069-a2dd-08002b30309d",
        code="AE",
        said=(Said("some ICSR message(s) need further action"),),
        cases=(
            CaseAnswer(
                "US-APHARMA-7644554",
                "CR",
                (
                    Said(
                        "Element value for SafetyCasePriority With Tag Id FDA.C.1.7.1 is Mandatory.",
                        "FDA.C.1.7.1",
                    ),
                    Said(
                        "Element value for CombinationProductReport With Tag Id FDA.C.1.12 is Mandatory.",
                        "FDA.C.1.12",
                    ),
                    Said("Patient Ethnicity Code (FDA.D.12) must be provided", "FDA.D.12"),
                    Said("Element value for EthenicOrgin With Tag I..."),
                ),
                "19426650",
                "20150227000000-0500",
            ),
        ),
        sender="ZZFDA",
        receiver="5467AB890012",
        reference="427044",
        created="20220815101246-0400",
        transmitted="20220815101246-0400",
    )


def test_a_regulators_acceptance_is_read() -> None:
    read = read_acknowledgement(reference("samples", "R3ack-positive.ack").read_bytes(), guide())
    assert (read.code, [(one.code, one.accepted, one.said) for one in read.cases]) == (
        "AA",
        [("CA", True, (Said("Report Loaded Successfully"),))],
    )


@pytest.mark.parametrize(
    ("sentence", "element"),
    [
        ("E.i.2.1b is missing", "E.i.2.1b"),
        ("E.2.2.1b is missing", "E.i.2.1b"),
        ("value of G.1.4.2.10.2b unknown", "G.k.4.r.10.2b"),
        ("error in C.2.r.4.", "C.2.r.4"),
        ("the block D.8.r is empty", "D.8.r"),
        ("C.1.1 and C.1.8.1 differ", "C.1.1"),
        ("(N.1.4) not known", "N.1.4"),
        ("MHRA.C.5.4 is asked for", "MHRA.C.5.4"),
        ("Report Loaded Successfully", None),
        ("version 2.1 of e.g. H", None),
        ("D.99.1 is no element", "D.99.1"),
    ],
)
def test_a_sentence_stands_beside_the_element_it_names(sentence: str, element: str | None) -> None:
    assert list(sentences(f" ; {sentence};\n", guide())) == [Said(sentence, element)]


SENT = (Sent("B-1", ("M-1", "M-2", "M-3")), Sent("B-2", ("M-9",)))


def matched(body: bytes) -> Matched:
    return match(read_acknowledgement(body, guide()), SENT)


def test_one_batch_may_be_partly_accepted_and_partly_not_told() -> None:
    found = matched(answer("B-1", "AE", case("M-1", "CA"), case("M-2", "CR", "E.i.7 wrong;H.1 long")))
    assert (found.known, found.flagged) == (True, False)
    assert found.outcomes == (
        Outcome("M-1", True, (), "L-M-1"),
        Outcome("M-2", False, (Said("E.i.7 wrong", "E.i.7"), Said("H.1 long", "H.1")), "L-M-2"),
        Outcome("M-3", None),
    )


def test_a_batch_accepted_or_refused_as_a_whole_speaks_for_its_messages() -> None:
    accepted, refused = matched(answer("B-1", "AA")), matched(answer("B-1", "AR", text="N.1.2 twice"))
    assert [(one.message, one.accepted) for one in accepted.outcomes] == [
        ("M-1", True),
        ("M-2", True),
        ("M-3", True),
    ]
    assert [(one.accepted, one.said) for one in refused.outcomes] == [
        (False, (Said("N.1.2 twice", "N.1.2"),))
    ] * 3


def test_a_case_with_an_error_code_is_not_accepted() -> None:
    assert [one.accepted for one in matched(answer("B-2", "AE", case("M-9", "CE"))).outcomes] == [False]


def test_an_answer_to_anothers_case_or_batch_is_kept_and_flagged() -> None:
    found = matched(answer("B-1", "AE", case("M-9", "CA"), case("X-1", "CA")))
    assert [(one.message, one.flag) for one in found.outcomes[:2]] == [
        ("M-9", "other-batch"),
        ("X-1", "unknown"),
    ]
    assert (found.known, found.flagged) == (True, True)
    strange = matched(answer("B-7", "AA", case("M-1", "CA")))
    assert (strange.known, strange.flagged) == (False, True)
    assert strange.outcomes == (Outcome("M-1", True, (), "L-M-1", "other-batch"),)
    assert matched(answer("B-7", "AA")).flagged


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<a/>", "an acknowledgement is a MCCI_IN200101UV01"),
        (f"{HEAD}</MCCI_IN200101UV01>".encode(), "there are 0 of 'acknowledgement'"),
        (answer("B-1", "OK"), "code is 'OK'; it is AA, AE, AR"),
        (answer("", "AA"), "which batch it answers"),
        (answer("B-1", "AE", case("M-1", "AA")), "code is 'AA'; it is CA, CR, CE"),
        (answer("B-1", "AE", case("", "CA")), "which report it answers"),
    ],
)
def test_what_is_no_whole_acknowledgement_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said) as caught:
        read_acknowledgement(body, guide())
    assert caught.value.issues[0].line == 1
