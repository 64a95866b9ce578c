"""Addresses compared as RFC 3986 (6.2.2.1, 6.2.3) says that they may be, and no further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.addresses import normal

HOME = "https://ehr.example.org/fhir"


@pytest.mark.parametrize(
    "written",
    [
        "HTTPS://ehr.example.org/fhir",
        "https://EHR.Example.ORG/fhir",
        "https://ehr.example.org:443/fhir",
        "https://ehr.example.org:/fhir",
        HOME,
    ],
)
def test_the_same_address_is_written_in_one_way(written: str) -> None:
    assert normal(written) == HOME


@pytest.mark.parametrize(
    "written",
    [
        "http://ehr.example.org/fhir",
        "http://ehr.example.org:443/fhir",
        "https://ehr.example.org:80/fhir",
        "https://ehr.example.org:8443/fhir",
        "https://ehr.example.org:4430/fhir",
        "https://ehr.example.org./fhir",
        "https://ehr.example.org/FHIR",
        "https://ehr.example.org/fhir/",
        "https://ehr.example.org/x/../fhir",
        "https://ehr.example.org/fhir?",
        "https://ehr.example.org/fhir#",
        "https://ehr.example.org.evil.example/fhir",
        "https://ehr.example.org@evil.example/fhir",
        "https://evil.example/https://ehr.example.org/fhir",
        "https://ehr.ex\nample.org/fhir",
        " https://ehr.example.org/fhir",
        "https:/ehr.example.org/fhir",
        "https:///fhir",
        "https://ehr.example.or\u0261/fhir",
        "https://ehr.e\u212aample.org/fhir",
        "https://[ehr.example.org]/fhir",
        "https://ehr.example.org\\@evil.example/fhir",
    ],
)
def test_another_address_stays_another(written: str) -> None:
    assert normal(written) != HOME
    assert normal(written) != normal(HOME)


def test_an_address_of_ipv6_keeps_apart_from_one_with_a_port() -> None:
    assert normal("https://[::1:8443]/fhir") != normal("https://[::1]:8443/fhir")
    assert normal("https://[FE80::A]:443/fhir") == "https://[fe80::a]/fhir"


def test_letters_that_only_unicode_calls_alike_are_not() -> None:
    assert normal("https://\u212aing.example.org/fhir") == "https://\u212aing.example.org/fhir"


texts = st.text("aA:/@?#[].45\u212a\n %\\", max_size=14)


@given(st.sampled_from(["https://", "HTTP://", "urn:", ""]), texts)
def test_it_is_done_once_and_touches_nothing_behind_the_host(scheme: str, rest: str) -> None:
    made = normal(f"{scheme}{rest}")
    assert normal(made) == made
    for mark in "/?#":
        behind = rest.partition(mark)
        if not any(one in behind[0] for one in "/?#"):
            assert made.endswith(f"{behind[1]}{behind[2]}")
