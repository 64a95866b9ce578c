"""Safety reports as E2B(R3): what is said, what is never said, and when nothing is sent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from service.domain.errors import Unprocessable, Unsupported
from service.domain.evaluation import Code
from service.domain.safety_report import Branch, ReportedMedicine, Reporter, SafetyReport, Subject
from service.domain.site import E2b, Site
from service.yellow_card.e2b.reader import read
from service.yellow_card.e2b.rendering import render, renderer
from service.yellow_card.e2b.rules import check
from service.yellow_card.e2b.terms import Terms
from service.yellow_card.e2b.values import Content, Null
from tests.yellow_card.e2b.goldens import FOLDER, GOLDENS, NOW, SITE, TERMS, event, message, report, tools
from tests.yellow_card.e2b.material import guide, schemas


def case(one: SafetyReport, site: Site = SITE) -> Content:
    """The case that a report becomes, as its recipient reads it."""
    (found,) = read(render([one], site, tools()).body, guide()).cases
    return found


def refusal(one: SafetyReport, site: Site = SITE, terms: Terms | None = TERMS) -> list[str]:
    """Why a report is not sent."""
    with pytest.raises((Unprocessable, Unsupported)) as caught:
        render([one], site, tools(terms))
    return [issue.message for issue in caught.value.issues]


@pytest.mark.parametrize("name", GOLDENS)
def test_the_message_is_the_one_on_disk(name: str) -> None:
    assert message(name) == (FOLDER / f"{name}.xml").read_bytes()


@pytest.mark.parametrize("name", GOLDENS)
def test_the_message_is_valid_by_the_schemas_and_the_rules(name: str) -> None:
    body = message(name)
    assert [issue for issue in check(read(body, guide()), guide(), NOW) if issue.fails] == []
    assert schemas().check(body) == ()


def test_the_same_report_at_the_same_moment_gives_the_same_bytes() -> None:
    once, again = (renderer(tools())(report(), SITE) for _ in range(2))
    assert once == again
    assert (once.media_type, once.kind) == ("application/xml", "e2b")
    assert once.file_name == "GB-EXAMPLETRUST-7f3c2b1a-0000-4000-8000-000000000001.1.20260801090000.xml"


def test_a_number_that_the_report_has_is_its_number_and_that_of_its_linked_cases() -> None:
    own = "IE-OLDNAME-7f3c2b1a-0000-4000-8000-000000000001"
    made = render([report(number=own, linked=("c-2",)), report(case="c-3")], SITE, tools())
    told, other = read(made.body, guide()).cases
    assert [told[name] for name in ("C.1.1", "C.1.8.1", "N.2.r.1")] == [own] * 3
    assert told["C.1.10.r"] == ["IE-OLDNAME-c-2"]
    assert other["C.1.1"] == "GB-EXAMPLETRUST-c-3"
    assert made.numbers == (own, "GB-EXAMPLETRUST-c-3")
    assert made.file_name.startswith(f"{own}.1.")


def test_the_cases_ids_stay_and_its_latest_date_moves_with_a_follow_up() -> None:
    first, later = case(report()), case(report(version=2, updated="2026-07-30"))
    for number in ("C.1.1", "C.1.8.1", "C.1.4", "N.2.r.1"):
        assert later[number] == first[number]
    assert (first["C.1.1"], first["C.1.4"]) == (
        "GB-EXAMPLETRUST-7f3c2b1a-0000-4000-8000-000000000001",
        "20260721",
    )
    assert (first["C.1.5"], later["C.1.5"]) == ("20260722", "20260730")


def test_a_device_is_never_sent() -> None:
    with pytest.raises(Unsupported):
        render([report(branch=Branch.DEVICE)], SITE, tools())
    assert refusal(report(branch=Branch.DEVICE)) == [
        "E2B cannot carry a device; use the report for a person to submit"
    ]
    for branch in (Branch.LOCAL, Branch.UNKNOWN, Branch.DEFECTIVE_MEDICINE):
        assert refusal(report(branch=branch)) == [
            "only a report about a suspected reaction to a medicine is sent as E2B"
        ]


def test_without_a_table_of_terms_or_a_code_in_it_nothing_is_sent() -> None:
    words = "Slow breathing after the injection & low oxygen"
    said = f"MedDRA coding needed: '{words}' has no code in the site's table of terms"
    assert refusal(report(), terms=None) == [said]
    assert refusal(report(events=(event(), event("other"))), terms=TERMS) == [said]
    snomed = event("other", coded=Code("http://snomed.info/sct", "99999999"), coded_version=None)
    assert refusal(report(events=(snomed,))) == [said]


def test_an_event_coded_in_the_sites_release_keeps_its_code() -> None:
    coded = event("other", coded=Code("meddra", "99999991"), coded_version="0.0")
    reaction = case(report(events=(coded,)))["E.i"][0]
    assert (reaction["E.i.2.1a"], reaction["E.i.2.1b"]) == ("0.0", "99999991")
    old = event("other", coded=Code("meddra", "99999991"), coded_version="9.9")
    assert len(refusal(report(events=(old,)))) == 1


def test_an_event_is_coded_by_its_own_words_where_the_table_has_them() -> None:
    terms = Terms("0.0", {"slow breathing after the injection & low oxygen": "99999990"})
    body = render([report(events=(event("other"),))], SITE, tools(terms)).body
    assert read(body, guide()).cases[0]["E.i"][0]["E.i.2.1b"] == "99999990"


def test_a_near_miss_is_no_reaction() -> None:
    near = event(actuality="potential")
    assert refusal(report(events=(near,))) == [
        "no event took place: E2B carries reactions, and a near miss is none; let a person submit it"
    ]
    assert len(case(report(events=(near, event())))["E.i"]) == 1


def test_a_site_that_is_not_configured_is_told_what_is_missing() -> None:
    assert refusal(report(), replace(SITE, e2b=E2b())) == [
        f"{number} is not configured: set e2b.{name} in the site file, as agreed with the recipient"
        for number, name in (("N.1.3", "sender"), ("N.1.4", "receiver"), ("C.1.1", "organisation"))
    ]


def test_every_reason_of_every_report_is_told_at_once() -> None:
    with pytest.raises(Unprocessable) as caught:
        render([report(branch=Branch.DEVICE), report(events=(event("other"),))], SITE, tools())
    assert [issue.key for issue in caught.value.issues] == ["branch", "E.i.2.1b"]


def test_what_the_rules_find_stops_the_message() -> None:
    assert refusal(report(narrative="")) == [
        f"H.1 ({guide().elements['H.1'].name}) is missing: it is required"
    ]
    unnamed = ReportedMedicine(role="suspect")
    assert [said[:7] for said in refusal(report(medicines=(unnamed,)))] == ["G.k.2.2"]
    assert [said[:6] for said in refusal(report(medicines=()))] == ["G.k (D"]


def test_what_the_schemas_find_stops_the_message() -> None:
    broken = replace(tools(), schema=lambda body: schemas().check(body.replace(b"<statusCode", b"<other")))
    with pytest.raises(Unprocessable, match="breaks ICH's schema: Element 'other'"):
        render([report()], SITE, broken)


def test_the_patient_is_masked_unless_the_site_tells_initials() -> None:
    assert case(report())["D.1"] == Null("MSK")
    told = replace(SITE, initials=True)
    assert case(report(), told)["D.1"] == "AB"
    assert case(report(subject=Subject(sex="male")), told)["D.1"] == Null("MSK")
    assert not [number for number in case(report()) if number.startswith(("D.1.1", "D.2.1"))]


def test_age_sex_and_weight_are_told_as_far_as_the_site_lets_them() -> None:
    told = case(report())
    assert (told["D.2.2a"], told["D.2.2b"], told["D.3"], told["D.5"]) == (
        Decimal(71),
        "a",
        Decimal("62.5"),
        "2",
    )
    banded = case(report(subject=Subject(age=Decimal(71), age_band="70-79")), replace(SITE, age="band"))
    assert (banded["D.2.2a"], banded["D.2.2b"]) == (Decimal(8), "{decade}")
    silent = case(report(subject=Subject(sex="other")))
    assert ("D.2.2a" in silent, silent["D.5"]) == (False, Null("UNK"))


def test_seriousness_is_true_or_not_told_and_never_false() -> None:
    criteria = [f"E.i.3.2{letter}" for letter in "abcdef"]

    def told(*words: str) -> list[object]:
        reaction = case(report(events=(event(seriousness=words),)))["E.i"][0]
        return [number[-1] for number in criteria if reaction[number] is True]

    assert [told(word) for word in (
        "death", "life-threatening", "hospitalisation", "disability", "congenital-anomaly",
        "medically-important", "intervention-required",
    )] == [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["f"]]  # fmt: skip
    unknown = case(report(events=(event(seriousness=None),)))
    assert {unknown["E.i"][0][number] for number in criteria} == {Null("NI")}
    assert (unknown["C.1.7"], case(report(events=(event(seriousness=()),)))["C.1.7"]) == (True, False)


def test_the_reporter_is_filled_from_the_site_and_split_into_parts() -> None:
    assert case(report())["C.2.r"] == [
        {
            "C.2.r.1.1": "Dr",
            "C.2.r.1.2": "Ann Mary",
            "C.2.r.1.4": "Example",
            "C.2.r.2.1": "Example Hospital NHS Trust",
            "C.2.r.2.2": "Radiology",
            "C.2.r.2.4": "Exampleton",
            "C.2.r.2.6": "EX1 1EX",
            "C.2.r.2.7": "020 7946 0000",
            "C.2.r.3": "GB",
            "C.2.r.4": "1",
            "C.2.r.5": "1",
        }
    ]
    (unknown,) = case(report(reporter=Reporter(name="Example")))["C.2.r"]
    assert (unknown["C.2.r.1.4"], unknown["C.2.r.4"]) == ("Example", Null("UNK"))


def test_northern_ireland_is_xi_wherever_a_country_stands() -> None:
    found = case(report(), replace(SITE, nation="northern-ireland"))
    assert found["C.1.1"].startswith("XI-")
    assert (found["C.2.r"][0]["C.2.r.3"], found["E.i"][0]["E.i.9"]) == ("XI", "XI")
    scotland = case(report(), replace(SITE, nation="scotland"))
    assert scotland["C.2.r"][0]["C.2.r.3"] == "GB"


def test_texts_too_long_for_their_element_are_cut_and_said_to_be() -> None:
    found = case(report(events=(event(text="x" * 300),)))
    assert found["E.i"][0]["E.i.1.1a"] == "x" * 247 + "..."


def test_dates_are_as_precise_as_the_report_has_them() -> None:
    reaction = case(report(events=(event(onset="2026", end="2026-07-20T11:00:00.250Z"),)))["E.i"][0]
    assert (reaction["E.i.4"], reaction["E.i.5"]) == ("2026", "20260720110000+0000")


def test_an_indication_has_a_code_only_where_the_table_has_it() -> None:
    found = case(report())["G.k"][0]["G.k.7.r"]
    assert found == [{"G.k.7.r.1": "sedation", "G.k.7.r.2a": "0.0", "G.k.7.r.2b": "99999997"}]
    other = ReportedMedicine(name="Examplazolam", indication="pain")
    assert case(report(medicines=(other,)))["G.k"][0]["G.k.7.r"] == [{"G.k.7.r.1": "pain"}]


def test_a_reference_number_that_was_given_goes_along() -> None:
    found = case(report(yellow_card="YC-1"))
    assert (found["C.1.9.1"], found["C.1.9.1.r"]) == (
        True,
        [{"C.1.9.1.r.1": "MHRA", "C.1.9.1.r.2": "YC-1"}],
    )


def test_a_batch_needs_a_report() -> None:
    with pytest.raises(Unprocessable, match="needs a report"):
        render([], SITE, tools())


def test_what_the_form_says_of_treatment_and_suspicion_is_sent() -> None:
    told = event(treatment="Flumazenil 0.2 mg", suspect_reason="Minutes after the dose")
    words = "Slow breathing after the injection & low oxygen"
    sent = case(report(events=(told,), subject=replace(report().subject, local_reference="LR-0123456789AB")))
    assert sent["H.1"] == f"{report().narrative}\nTreatment of {words}: Flumazenil 0.2 mg"
    assert sent["H.2"] == f"What is suspected of {words}: Minutes after the dose"
    assert sent["D.1.1.3"] == "LR-0123456789AB"
    assert case(report(events=(told,), narrative=""))["H.1"] == f"Treatment of {words}: Flumazenil 0.2 mg"
