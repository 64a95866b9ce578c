"""What in a report's texts may tell who the patient is, and the law that nothing planted gets past."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.evaluation import Code
from service.domain.safety_report import (
    Branch,
    Override,
    ReportedDevice,
    ReportedEvent,
    ReportedMedicine,
    ReportedProcedure,
    Reporter,
    SafetyReport,
    State,
    Subject,
)
from service.yellow_card.deidentification import (
    Identifier,
    find_hits,
    identifiers_of,
    search,
    texts_of,
    valid_nhs_number,
)

PATIENT = {
    "resourceType": "Patient",
    "identifier": [
        {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"},
        {"system": "https://hospital.example.org/mrn", "value": "RXH-004711"},
    ],
    "name": [
        {"use": "official", "family": "Müller-O'Brien", "given": ["Zoë", "Quill"]},
        {"use": "nickname", "text": "Zippy"},
    ],
    "birthDate": "1950-03-02",
    "telecom": [
        {"system": "phone", "value": "+44 20 7946 0123"},
        {"system": "email", "value": "zoe.quill@example.org"},
    ],
    "address": [{"line": ["12 Juniper Crescent", "Flat 3"], "city": "Leeds", "postalCode": "ZZ99 3WZ"}],
    "contact": [{"name": {"family": "Yarrow", "given": ["Xanthe"]}}],
}
KNOWN = identifiers_of(PATIENT, {"reference": "https://ehr.example.org/fhir/Patient/p-88123"})


def kinds(text: str) -> list[str]:
    return list(dict.fromkeys(kind for kind, _, _ in search(text, KNOWN)))


def test_what_is_known_of_a_patient_is_listed() -> None:
    assert tuple(
        Identifier(kind, text)
        for kind, text in (
            ("name", "Zoë"), ("name", "Quill"), ("name", "Müller-O'Brien"), ("name", "Zoë Müller-O'Brien"),
            ("name", "Müller-O'Brien Zoë"), ("name", "Quill Müller-O'Brien"),
            ("name", "Müller-O'Brien Quill"), ("name", "Zippy"),
            ("name", "Xanthe"), ("name", "Yarrow"), ("name", "Xanthe Yarrow"),
            ("name", "Yarrow Xanthe"), ("birth-date", "1950-03-02"), ("number", "9990000018"),
            ("number", "RXH-004711"), ("number", "p-88123"), ("telephone", "+44 20 7946 0123"),
            ("email", "zoe.quill@example.org"), ("address", "12 Juniper Crescent"), ("address", "Flat 3"),
            ("postcode", "ZZ99 3WZ"),
        )
    ) == KNOWN  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Zoe was seen", ["name"]),
        ("ZOË WAS SEEN", ["name"]),
        ("Zoe\u0308 was seen", ["name"]),
        ("Mueller's leg", ["name"]),
        ("the O\u2019Briens", ["name"]),
        ("mueller-obrien", ["name"]),
        ("Muller's leg", ["name"]),
        ("Mullers leg", ["name"]),
        ("Muller O Brien", ["name"]),
        ("mullerobrien", ["name"]),
        ("Zo\u200be was seen", ["name"]),
        ("call me zippy", ["name"]),
        ("her sister Xanthe", ["name"]),
        ("seen_by_Quill_2026", ["name"]),
        ("quilling", []),
        ("Mr Jones in the next bed", ["name"]),
        ("Dr Jones operated", []),
        ("NHS 999 000 0018", ["nhs-number", "number"]),
        ("9990000018", ["nhs-number", "number"]),
        ("999-000-0018.", ["nhs-number", "number"]),
        ("9 9 9 0 0 0 0 0 1 8", ["nhs-number", "number"]),
        ("999    000  -  0018", ["nhs-number"]),
        ("９９９ ０００ ００１８", ["nhs-number", "number"]),
        ("99900 00018 and 9434765919", ["nhs-number", "number"]),
        ("9990000081", ["number"]),
        ("9990000019", ["number"]),
        ("another patient's 943 476 5919", ["nhs-number"]),
        ("number 943 476 5918", ["nhs-number"]),
        ("9434765918", []),
        ("NHS no. 9434765918", ["nhs-number"]),
        ("CHI: 0203501238", ["nhs-number"]),
        ("rxh004711", ["number"]),
        ("RXH 004711", ["number"]),
        ("MRNRXH-004711a", ["number"]),
        ("see p-88123", ["number"]),
        ("02/03/1950", ["birth-date"]),
        ("2.3.50", ["birth-date"]),
        ("on day 3 02/03/1950 it", ["birth-date"]),
        ("02/03/1950 3 4 5", ["birth-date"]),
        ("1 2 3 2/3/50 6", ["birth-date"]),
        ("1 2 March 1950", ["birth-date"]),
        ("1950-03-02", ["birth-date"]),
        ("02031950", ["birth-date"]),
        ("19500302", ["birth-date"]),
        ("2nd of March, 1950", ["birth-date"]),
        ("Mar 2nd 1950", ["birth-date"]),
        ("2 Mar '50", ["birth-date"]),
        ("02-MAR-1950", ["birth-date"]),
        ("1950 March 2", ["birth-date"]),
        ("03/02/1950", ["birth-date"]),
        ("in March 1950", ["birth-date"]),
        ("in March of 1950", ["birth-date"]),
        ("born March '50", ["birth-date"]),
        ("the second of March nineteen fifty", ["birth-date"]),
        ("second March, nineteen-hundred and fifty", ["birth-date"]),
        ("March the 2nd, fifty", ["birth-date"]),
        ("March second fifty", ["birth-date"]),
        ("2nd of march fifty-one", []),
        ("the twenty-second of March nineteen fifty", []),
        ("the second of March twenty twenty-six", []),
        ("DOB 11/12/1961", ["birth-date"]),
        ("born on 4 May 1948", ["birth-date"]),
        ("on 4 May 2026 it leaked", []),
        ("on 02/03/2026", []),
        ("in 1950", []),
        ("12 Juniper Crescent", ["address"]),
        ("12, juniper crescent", ["address"]),
        ("zz993wz", ["postcode"]),
        ("lives at LS1 4AP", ["postcode"]),
        ("020 7946 0123", ["telephone"]),
        ("(0)20-7946-0123", ["telephone"]),
        ("ring 07700 900123", ["telephone"]),
        ("zoe.quill@example.org", ["email", "name"]),
        ("someone@example.com", ["email"]),
        ("3.5 mL leaked at 10:45, 12 gauge needle, lot 4711", []),
        ("Raised to 120 umol/L on day 3", []),
    ],
)
def test_a_text_is_searched_for_what_may_identify(text: str, found: list[str]) -> None:
    assert sorted(kinds(text)) == sorted(found)


def test_a_hit_says_where_in_the_text_as_it_was_written() -> None:
    text = "\u2014 \u00c6o\u0308\u00df\u200b: see Z\u200bo\u00eb!"
    assert [(kind, text[start:end]) for kind, start, end in search(text, KNOWN)] == [
        ("name", "Z\u200bo\u00eb"),
    ]


@pytest.mark.parametrize(
    ("digits", "sound"),
    [("9434765919", True), ("9990000018", True), ("9434765918", False), ("0000000000", False),
     ("999000001", False), ("9990000107", True)],
)  # fmt: skip
def test_modulus_11(digits: str, sound: bool) -> None:
    assert valid_nhs_number(digits) is sound


FULL = SafetyReport(
    case="c",
    version=1,
    branch=Branch.MEDICINE,
    state=State.DRAFT,
    decided_by="why",
    events=(ReportedEvent("AdverseEvent/1", Code("s", "t", "T"), "text", suspect_reason="r", treatment="t"),),
    subject=Subject(local_reference="LR-1", sex="female"),
    reporter=Reporter("Dr Bea Other", "physician", "Trust", "RXX", "X-ray", "1 Road", "Town", "LS1 4AP", "GB",
                      "020 7946 0000", "bea@example.org"),
    procedure=ReportedProcedure("Procedure/1", "2026-07-01", "text", (), "guided"),
    devices=(ReportedDevice("k", "product", "maker", "model", "lot", "serial", "udi", "di", "2027"),),
    medicines=(ReportedMedicine("name", "suspect", "dose", "route", "batch", None, None, "why", "maker"),),
    narrative="narrative",
    amendment_reason="amended",
    number="GB-TRUST-c",
    override=Override(Branch.LOCAL, "Dr Bea Other", "2026", "because", Branch.DEVICE),
)  # fmt: skip
PLACES = sorted(set(texts_of(FULL)) - {"reporter.name"})


def test_every_text_that_a_person_may_have_written_is_searched() -> None:
    assert set(texts_of(FULL)) == {
        "decided_by", "narrative", "amendment_reason", "override.who", "override.reason",
        "events.0.text", "events.0.suspect_reason", "events.0.treatment",
        "reporter.name", "reporter.organisation", "reporter.ods", "reporter.department", "reporter.address",
        "reporter.city", "reporter.postcode", "reporter.telephone", "reporter.email",
        "procedure.text", "procedure.guidance",
        "devices.0.product", "devices.0.manufacturer", "devices.0.model", "devices.0.lot", "devices.0.serial",
        "devices.0.udi", "devices.0.udi_di", "devices.0.expiry",
        "medicines.0.name", "medicines.0.dose", "medicines.0.route", "medicines.0.batch",
        "medicines.0.indication", "medicines.0.manufacturer",
    }  # fmt: skip
    assert find_hits(FULL, KNOWN) == ()


def put(report: SafetyReport, path: str, text: str) -> SafetyReport:
    name, _, rest = path.partition(".")
    held: Any = getattr(report, name)
    made: Any = text
    if isinstance(held, tuple):
        made = (replace(held[0], **{rest.partition(".")[2]: text}),)
    elif rest:
        made = replace(held, **{rest: text})
    changed: dict[str, Any] = {name: made}
    return replace(report, **changed)


BEFORE = st.sampled_from(["", "Seen: ", "(", "the patient, ", "\n", "- ", "§ "])
AFTER = st.sampled_from(["", ".", " was seen", "'s leg", ")", "\n", " (f)", "!"])
WHATEVER = st.text(st.characters(exclude_categories=["Cs", "L", "N", "Mn", "Me", "Cf"]), max_size=6)


@given(
    identifier=st.sampled_from(KNOWN), path=st.sampled_from(PLACES), before=BEFORE, after=AFTER, odd=WHATEVER
)
def test_nothing_known_of_the_patient_gets_past_in_any_text(
    identifier: Identifier, path: str, before: str, after: str, odd: str
) -> None:
    planted = put(FULL, path, f"{odd}{before}{identifier.text}{after}{odd}")
    assert (path, identifier.kind) in {(one.path, one.kind) for one in find_hits(planted, KNOWN)}


@given(
    identifier=st.sampled_from([one for one in KNOWN if one.kind == "number"]),
    gaps=st.lists(
        st.sampled_from(["", " ", "-", ".", "\u00a0", "\u2009", "/", "_", ", "]), min_size=20, max_size=20
    ),
)  # fmt: skip
def test_a_number_is_found_however_it_is_spaced(identifier: Identifier, gaps: list[str]) -> None:
    letters = [letter for letter in identifier.text if letter.isalnum()]
    text = "".join(letter + gap for letter, gap in zip(letters, gaps, strict=False))
    assert "number" in kinds(f"no {text}")


@given(
    st.integers(0, 999_999_999), st.sampled_from(["{}{}{}", "{} {} {}", "{}-{}-{}", "{}.{}.{}", "{}\n{}\n{}"])
)
def test_every_sound_nhs_number_is_found(number: int, form: str) -> None:
    first = f"{number:09d}"
    found = [f"{first}{check}" for check in range(10) if valid_nhs_number(f"{first}{check}")]
    for digits in found:
        text = form.format(digits[:3], digits[3:6], digits[6:])
        assert "nhs-number" in {kind for kind, _, _ in search(text, ())}


@given(st.text(max_size=300))
def test_any_text_is_searched_and_each_place_lies_in_it(text: str) -> None:
    for _, start, end in search(text, KNOWN):
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("text", ["1 " * 20_000, "a" * 40_000, "1" * 40_000, "a@" * 20_000, "12 jan " * 6_000,
                                  "zoe " * 10_000, "07 " * 13_000])  # fmt: skip
def test_a_long_text_ends(text: str) -> None:
    search(text, KNOWN)


def test_a_reporter_may_share_a_name_with_the_patient_but_not_all_of_them() -> None:
    shared = replace(FULL, reporter=replace(FULL.reporter, name="Dr Quill Other"))
    assert find_hits(shared, KNOWN) == ()
    same = replace(FULL, reporter=replace(FULL.reporter, name="Zoe Muller-O'Brien"))
    assert {one.kind for one in find_hits(same, KNOWN)} == {"name"}


def test_names_in_other_scripts_are_found_without_spaces() -> None:
    known = identifiers_of({"name": [{"text": "\u5f20\u4f1f"}]})
    assert [kind for kind, _, _ in search("\u60a3\u8005\u5f20\u4f1f\u75bc\u75db", known)] == ["name"]


def test_the_words_of_a_coded_answer_are_searched_too() -> None:
    place = Code("https://example.org/sites", "venous", "vein of Zoë")
    event = ReportedEvent(
        "AdverseEvent/1", Code("https://example.org/terms", "leak", "Leak"), "Leak", leak_site=place
    )
    found = find_hits(
        SafetyReport("c", 1, Branch.DEVICE, State.DRAFT, "why", (event,), Subject(), Reporter(),
                     procedure=ReportedProcedure(sites=(place,)), devices=(ReportedDevice(site=place),)),
        KNOWN,
    )  # fmt: skip
    assert [(one.path, one.kind, one.start, one.end) for one in found] == [
        ("events.0.leak_site.display", "name", 8, 11),
        ("procedure.sites.0.display", "name", 8, 11),
        ("devices.0.site.display", "name", 8, 11),
    ]
