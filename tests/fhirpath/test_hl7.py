"""HL7's R4 tests under strict comparison: all pass but those listed, each with its reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from .hl7_cases import SUITE, fault, read_cases

LISTED = {
    entry["case"]: entry
    for entry in tomllib.loads((Path(__file__).parent / "hl7_differences.toml").read_text(encoding="utf-8"))[
        "difference"
    ]
}


def test_each_difference_is_explained() -> None:
    assert all(entry["rule"] and entry["ours"] for entry in LISTED.values())
    assert len(LISTED) <= 28, "97 per cent of 935 must pass"


@pytest.mark.skipif(not SUITE.exists(), reason="HL7's test file lies outside the project and is not here")
def test_the_suite_passes_but_for_the_listed_cases() -> None:
    cases = read_cases()
    assert len(cases) == 935
    faults = {case.name: said for case in cases if (said := fault(case))}
    assert {name: said for name, said in faults.items() if name not in LISTED} == {}, "newly failing"
    assert set(LISTED) - set(faults) == set(), "newly passing: take them off the list"


@pytest.mark.skipif(not SUITE.exists(), reason="HL7's test file lies outside the project and is not here")
def test_the_listed_cases_give_what_the_list_says() -> None:
    said = {case.name: fault(case) for case in read_cases() if case.name in LISTED}
    assert {name: entry["ours"] in said[name] for name, entry in LISTED.items()} == dict.fromkeys(
        LISTED, True
    )
