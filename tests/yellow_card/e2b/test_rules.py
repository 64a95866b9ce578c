"""The rules by element: what must be there, what may stand in it, and what elements ask of one another."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.issues import Severity
from service.yellow_card.e2b.batch import Batch
from service.yellow_card.e2b.elements import CASE, Element
from service.yellow_card.e2b.rules import check
from service.yellow_card.e2b.values import Attachment, Null
from tests.yellow_card.e2b.material import (
    CODE,
    NOW,
    RELEASE,
    changed,
    copied_of,
    every,
    example,
    good,
    guide,
    put,
    scope,
)

if TYPE_CHECKING:
    from service.domain.issues import Issue
    from service.yellow_card.e2b.values import Content


def faults(batch: Batch) -> list[tuple[str, str]]:
    """Severity and element of every finding."""
    return [(issue.severity.value, issue.key) for issue in check(batch, guide(), NOW)]


def only(batch: Batch) -> Issue:
    """The one finding."""
    (issue,) = check(batch, guide(), NOW)
    return issue


MANDATORY = [
    element for element in guide().elements.values() if element.conformance in ("mandatory", "required")
]


def test_the_good_message_has_no_fault_and_no_doubt() -> None:
    assert check(good(), guide(), NOW) == ()


@pytest.mark.parametrize("element", MANDATORY, ids=lambda element: element.number)
def test_each_mandatory_element_taken_away_is_caught_by_its_number(element: Element) -> None:
    batch = copied_of(good())
    del scope(batch, element.group)[element.number]
    found = [issue for issue in check(batch, guide(), NOW) if issue.fails and issue.key == element.number]
    assert [issue.code for issue in found][:1] == ["required"]
    assert found[0].message.startswith(f"{element.number} ({element.name}) is missing: ")


@pytest.mark.parametrize("group", ["C.2.r", "E.i", "G.k"])
def test_a_case_without_a_source_a_reaction_or_a_drug_is_caught(group: str) -> None:
    assert ("error", group) in faults(changed(good(), **{group.replace(".", "_"): None}))
    assert ("error", group) in faults(changed(good(), **{group.replace(".", "_"): []}))


def test_a_batch_without_a_case_is_caught() -> None:
    assert faults(Batch(good().header, ())) == [("error", CASE)]


@pytest.mark.parametrize("element", every(), ids=lambda element: element.number)
def test_each_null_flavour_is_allowed_where_the_table_says_so_and_nowhere_else(element: Element) -> None:
    for flavour in ("NI", "MSK", "UNK", "NA", "ASKU", "NASK", "NINF", "PINF", "OTH"):
        found = check(put(good(), element, Null(flavour)), guide(), NOW)
        refused = any(
            issue.key == element.number and "null flavour " + flavour in issue.message for issue in found
        )
        assert refused == (flavour not in element.nulls)


@pytest.mark.parametrize(
    "element",
    [one for one in every() if one.length and one.kind in ("text", "token")],
    ids=lambda one: one.number,
)
def test_each_text_is_as_long_as_it_may_be_and_no_longer(element: Element) -> None:
    length = element.length or 0
    name = f"{element.number} ({element.name})"
    fits = check(put(good(), element, "x" * length), guide(), NOW)
    long = check(put(good(), element, "x" * (length + 1)), guide(), NOW)
    said = [issue.message for issue in long if issue.code == "too-long" and issue.key == element.number]
    assert [issue for issue in fits if issue.code == "too-long"] == []
    assert said == [f"{name} has {length + 1} characters; at most {length} are allowed: shorten it"]


@pytest.mark.parametrize("element", [one for one in every() if one.values], ids=lambda one: one.number)
def test_each_coded_element_takes_its_codes_and_no_other(element: Element) -> None:
    def refused(value: Any) -> bool:
        found = check(put(good(), element, value), guide(), NOW)
        return any(issue.key == element.number and issue.code in ("code-invalid", "value") for issue in found)

    values = (
        [text == "true" for text in element.values or ()] if element.kind == "boolean" else element.values
    )
    assert [value for value in values or () if refused(value)] == []
    assert refused("99")
    if element.kind == "boolean" and "false" not in (element.values or {}):
        assert refused(value=False)


@pytest.mark.parametrize(
    "element", [one for one in every() if one.kind == "date"], ids=lambda one: one.number
)
def test_each_date_has_its_form_and_its_precision_and_is_not_in_the_future(element: Element) -> None:
    def errors(value: str) -> list[str]:
        found = check(put(good(), element, value), guide(), NOW)
        return [issue.message for issue in found if issue.key == element.number and issue.fails]

    least = {"year": "1999", "day": "19990101", "second": "20260801085900+0000"}[element.precision]
    assert [said for said in errors(least) if "is given to the" in said or "a date is" in said] == []
    for wrong in (
        "2026-07-30",
        "20261301",
        "20260230",
        "30.07.2026",
        "202",
        "20260730+0100",
        "20260730101500+2500",
    ):
        assert any(f"is '{wrong}'; a date is" in said for said in errors(wrong)), wrong
    assert any("lies in the future" in said for said in errors("20260801090001+0000"))
    if element.precision != "year":
        assert any(f"give it to the {element.precision}" in said for said in errors("2026"))


def test_a_moment_without_an_offset_is_doubted() -> None:
    header = {**good().header, "N.1.5": "20260801085900"}
    assert faults(Batch(header, good().cases)) == [("warning", "N.1.5")]


def test_a_date_in_another_zone_is_in_the_future_only_when_its_moment_is() -> None:
    late = "20260801100000+0100"
    batch = changed(good(), N_2_r_4=late, C_1_2=late)
    assert faults(Batch({**batch.header, "N.1.5": late}, batch.cases)) == []
    later = "20260801100001+0100"
    batch = changed(good(), N_2_r_4=later, C_1_2=later)
    assert [key for _, key in faults(batch)] == ["N.2.r.4", "C.1.2"]


def _case(**values: Any) -> Batch:
    return changed(good(), **values)


def _reaction(**values: Any) -> Batch:
    return _item("E.i", values)


def _drug(**values: Any) -> Batch:
    return _item("G.k", values)


def _item(group: str, values: dict[str, Any]) -> Batch:
    batch = copied_of(good())
    item: Content = batch.cases[0].setdefault(group, [{}])[0]
    for name, value in values.items():
        item[name.replace("_", ".")] = value
        if value is None:
            del item[name.replace("_", ".")]
    return batch


def _block(group: str, **values: Any) -> Batch:
    batch = copied_of(good())
    scope(batch, group).update({name.replace("_", "."): value for name, value in values.items()})
    return batch


_TEST = {"F_r_1": Null("UNK"), "F_r_2_1": "test", "F_r_3_4": "found"}
CROSSED = [
    ("C.1.1 and N.2.r.1 differ", _case(N_2_r_1="GB-EXAMPLETRUST-0002"), "error", "N.2.r.1"),
    ("C.1.2 and N.2.r.4 differ", _case(N_2_r_4="20260801085901+0000"), "error", "N.2.r.4"),
    ("C.1.1 has no organisation", _case(C_1_1="GB-0001", N_2_r_1="GB-0001"), "error", "C.1.1"),
    ("C.1.8.1 has no such country", _case(C_1_8_1="UK-EXAMPLE-1"), "error", "C.1.8.1"),
    ("other identifiers said, none given", _case(C_1_9_1=True), "error", "C.1.9.1.r.1"),
    (
        "other identifiers given, not said",
        _block("C.1.9.1.r", C_1_9_1_r_1="MHRA", C_1_9_1_r_2="1"),
        "error",
        "C.1.9.1",
    ),
    ("documents said, none named", _case(C_1_6_1=True), "error", "C.1.6.1.r.1"),
    ("documents named, not said", _block("C.1.6.1.r", C_1_6_1_r_1="letter"), "error", "C.1.6.1"),
    ("a study without its type", _case(C_1_3="2"), "error", "C.5.4"),
    ("C.1.7 masked outside E2B(R2)", _case(C_1_7=Null("NI")), "warning", "C.1.7"),
    ("nullified without a reason", _case(C_1_11_1="1"), "error", "C.1.11.2"),
    ("a reason without nullification", _case(C_1_11_2="twice"), "error", "C.1.11.1"),
    ("no primary source", _case(C_2_r=[{"C.2.r.4": "1"}]), "error", "C.2.r.5"),
    (
        "a primary source without a country",
        _case(C_2_r=[{"C.2.r.4": "1", "C.2.r.5": "1"}]),
        "error",
        "C.2.r.3",
    ),
    ("no organisation", _case(C_3_2=None), "error", "C.3.2"),
    ("nobody in particular", _case(D_1=Null("UNK")), "error", "D.1"),
    ("an age without its unit", _case(D_2_2a=Decimal(71)), "error", "D.2.2b"),
    ("older than 120", _case(D_2_2a=Decimal(121), D_2_2b="a"), "error", "D.2.2a"),
    ("older than 120 in decades", _case(D_2_2a=Decimal(13), D_2_2b="{decade}"), "error", "D.2.2a"),
    ("two ages", _case(D_2_2a=Decimal(71), D_2_2b="a", D_2_3="6"), "warning", "D.2.3"),
    ("heavier than 500", _case(D_3=Decimal("500.1")), "error", "D.3"),
    ("no weight", _case(D_3=Decimal(0)), "error", "D.3"),
    ("taller than 300", _case(D_4=Decimal(301)), "error", "D.4"),
    ("a height in parts", _case(D_4=Decimal("1.7")), "error", "D.4"),
    ("no history told", _case(D_7_2=None), "warning", "D.7.2"),
    ("a date of death, nothing on autopsy", _case(D_9_1="20260730"), "error", "D.9.3"),
    ("an autopsy's findings without autopsy", _block("D.9.4.r", D_9_4_r_2="found"), "warning", "D.9.3"),
    ("a past drug without a name", _block("D.8.r", D_8_r_4="2020"), "error", "D.8.r.1"),
    ("a term without its release", _block("D.9.2.r", D_9_2_r_1b=CODE), "error", "D.9.2.r.1a"),
    ("two releases", _block("D.9.2.r", D_9_2_r_1a="1.0", D_9_2_r_1b=CODE), "error", "E.i.2.1a"),
    ("a verbatim text without its language", _reaction(E_i_1_1b=None), "error", "E.i.1.1b"),
    ("another dictionary's code", _reaction(E_i_2_1b="1234567"), "error", "E.i.2.1b"),
    ("a release that is none", _reaction(E_i_2_1a="new"), "error", "E.i.2.1a"),
    ("not serious and serious", _reaction(E_i_3_1="1"), "warning", "E.i.3.1"),
    ("fatal without death", _reaction(E_i_7="5"), "warning", "E.i.7"),
    ("death that is not fatal", _reaction(E_i_3_2a=True), "warning", "E.i.7"),
    ("confirmed, by a professional", _reaction(E_i_8=True), "warning", "E.i.8"),
    ("seriousness said to be false", _reaction(E_i_3_2a=False), "error", "E.i.3.2a"),
    ("ended before it began", _reaction(E_i_5="20260728"), "error", "E.i.5"),
    ("a duration without its unit", _reaction(E_i_6a=Decimal(3)), "error", "E.i.6b"),
    ("a test without a date", _block("F.r", F_r_2_1="test", F_r_3_4="found"), "error", "F.r.1"),
    ("a test without a name", _block("F.r", F_r_1="2026", F_r_3_4="found"), "error", "F.r.2.1"),
    ("a test without a result", _block("F.r", F_r_1="2026", F_r_2_1="test"), "error", "F.r.3.4"),
    ("a result without its unit", _block("F.r", **_TEST, F_r_3_2="1"), "error", "F.r.3.3"),
    ("a result that is no number", _block("F.r", **_TEST, F_r_3_2="~1", F_r_3_3="mg"), "error", "F.r.3.2"),
    ("concomitant drugs only", _drug(G_k_1="2"), "error", "G.k.1"),
    (
        "two product codes",
        _drug(**{f"G_k_2_1_{x}": "1" for x in ("1a", "1b", "2a", "2b")}),
        "error",
        "G.k.2.1.2b",
    ),
    ("authorised nowhere", _drug(G_k_3_1="PL 1"), "error", "G.k.3.2"),
    ("a dose without its unit", _block("G.k.4.r", G_k_4_r_1a=Decimal(2)), "error", "G.k.4.r.1b"),
    (
        "a dose in no unit",
        _block("G.k.4.r", G_k_4_r_1a=Decimal(2), G_k_4_r_1b="spoons"),
        "error",
        "G.k.4.r.1b",
    ),
    ("an interval without its number", _block("G.k.4.r", G_k_4_r_3="h"), "error", "G.k.4.r.2"),
    (
        "a number of no interval",
        _block("G.k.4.r", G_k_4_r_2=Decimal(2), G_k_4_r_3="{total}"),
        "error",
        "G.k.4.r.2",
    ),
    (
        "a drug stopped before it began",
        _block("G.k.4.r", G_k_4_r_4="20260720", G_k_4_r_5="20260719"),
        "error",
        "G.k.4.r.5",
    ),
    ("the reaction before the drug", _block("G.k.4.r", G_k_4_r_4="20260730"), "error", "E.i.4"),
    ("a drug given after the report", _block("G.k.4.r", G_k_4_r_5="20260802"), "error", "G.k.4.r.5"),
    ("an indication not told", _block("G.k.7.r", G_k_7_r_1=Null("UNK")), "warning", "G.k.7.r.2b"),
    ("an assessment of no reaction", _block("G.k.9.i", G_k_9_i_1=2, G_k_9_i_4="1"), "error", "G.k.9.i.1"),
    (
        "a negative strength",
        _block("G.k.2.3.r", G_k_2_3_r_3a=Decimal(-1), G_k_2_3_r_3b="mg"),
        "error",
        "G.k.2.3.r.3a",
    ),
    ("a language that is none", _block("H.5.r", H_5_r_1a="text", H_5_r_1b="en"), "error", "H.5.r.1b"),
    ("a blank narrative", _case(H_1="  \n"), "error", "H.1"),
    ("a sign that XML has not", _case(H_1="a\x00b"), "error", "H.1"),
    ("first told after last told", _case(C_1_4="20260731", C_1_5="20260730"), "error", "C.1.5"),
    ("a number as text", _case(D_3="71,5"), "error", "D.3"),
    ("an empty file", _block("C.4.r", C_4_r_2=Attachment("application/pdf", b"")), "error", "C.4.r.2"),
    ("an element in the wrong block", _case(**{"E.i.7": "1"}), "error", "E.i.7"),
    ("an element that is none", _case(Z_1="1"), "error", "Z.1"),
    ("one block where a list is needed", _case(F_r={"F.r.1": "2026"}), "error", "F.r"),
]


@pytest.mark.parametrize(
    ("batch", "severity", "number"), [row[1:] for row in CROSSED], ids=[row[0] for row in CROSSED]
)
def test_what_elements_ask_of_one_another(batch: Batch, severity: str, number: str) -> None:
    found = faults(batch)
    assert (severity, number) in found
    assert {key for kind, key in found if kind == "error"} <= {number}


def test_two_primary_sources_are_one_too_many() -> None:
    source = {"C.2.r.3": "GB", "C.2.r.4": "1", "C.2.r.5": "1"}
    issue = only(_case(C_2_r=[source, dict(source)]))
    assert (issue.key, issue.expression) == ("C.2.r.5", "N.2.r[1].C.2.r[2].C.2.r.5")


def test_each_report_of_a_batch_has_its_own_number() -> None:
    one = good().cases[0]
    issue = only(Batch(good().header, (one, dict(one))))
    assert (issue.code, issue.expression) == ("duplicate", "N.2.r[2].N.2.r.1")


def test_a_reaction_named_twice_in_a_drugs_matrix_is_caught() -> None:
    batch = copied_of(good())
    rows = [{"G.k.9.i.1": 1, "G.k.9.i.4": "1"}, {"G.k.9.i.1": 1, "G.k.9.i.4": "2"}]
    batch.cases[0]["G.k"][0]["G.k.9.i"] = rows
    assert only(batch).expression == "N.2.r[1].G.k[1].G.k.9.i[2].G.k.9.i.1"


def test_a_reaction_on_the_day_of_the_drug_is_no_fault() -> None:
    assert faults(_block("G.k.4.r", G_k_4_r_4="20260729101500+0100")) == []
    assert faults(_block("G.k.4.r", G_k_4_r_4="2026")) == []


def test_northern_ireland_is_a_country_here() -> None:
    number = "XI-EXAMPLE-1"
    assert faults(_case(C_1_1=number, N_2_r_1=number, C_1_8_1=number)) == []


def test_every_finding_names_a_known_element_with_a_place_and_a_remedy() -> None:
    for _, batch, _, _ in CROSSED:
        for issue in check(batch, guide(), NOW):
            assert issue.key in {*guide().elements, *guide().names, "Z.1"}
            assert issue.severity in (Severity.ERROR, Severity.WARNING)
            assert issue.expression.endswith((issue.key, f"{issue.key}[1]"))
            assert re.search(r"[;:,]", issue.message), issue.message


def test_the_present_moment_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        check(good(), guide(), datetime(2026, 8, 1))  # noqa: DTZ001


@pytest.mark.parametrize("element", every(), ids=lambda element: element.number)
def test_an_examples_value_is_never_at_fault_itself(element: Element) -> None:
    batch = put(good(), element, example(element))
    wrong = {"value", "code-invalid", "too-long", "structure"}
    assert [
        issue for issue in check(batch, guide(), NOW) if issue.key == element.number and issue.code in wrong
    ] == []


def test_the_releases_and_codes_of_these_tests_are_nobodys() -> None:
    assert (RELEASE, CODE) == ("0.0", "99999999")
