"""No change of any document of the corpus makes the checker raise, whatever it is and wherever it stands."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.issues import Issue
from service.fhir.validation import LIMIT, check
from tests.agreement.corpus import cases, good, resolve

DOCUMENTS = tuple(case.document for case in cases())
WORDS: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        2**40,
        Decimal("1E400"),
        Decimal("NaN"),
        "",
        " ",
        "#",
        "#x",
        "|",
        "a|b",
        "\x00",
    ),
    *(
        "0",
        "2026-02-30",
        "<div>",
        "urn:uuid:",
        "/",
        "Patient/",
        "text/fhirpath",
        "%resource.item",
        "item.",
        "\ud800",
    ),
    *([], [None], [[]], {}, {"": ""}, {"extension": []}, {"resourceType": "Bundle"}, [{"linkId": "int"}]),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys, all the way down."""
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        at = stack.pop()
        keys = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        found += [(at, key) for key in keys]
        stack += [at[key] for key in keys]
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_document_gets_issues_and_no_exception(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        owner, key = data.draw(st.sampled_from(places(document)))
        if data.draw(st.booleans()):
            owner[key] = copy.deepcopy(data.draw(st.sampled_from(WORDS)))
        else:
            _, other = data.draw(st.sampled_from(places(document)))
            owner[key] = copy.deepcopy(data.draw(st.sampled_from(places(document)))[0])
            if isinstance(owner, dict) and isinstance(other, str):
                owner[other] = copy.deepcopy(data.draw(st.sampled_from(WORDS)))
    found = check(document, resolve=resolve)
    assert len(found) <= LIMIT
    assert all(isinstance(issue, Issue) for issue in found)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_form_gets_issues_and_no_exception_from_its_responses(data: st.DataObject) -> None:
    response = data.draw(st.sampled_from([name for name in good() if name.startswith("response-")]))
    canonical = good()[response]["questionnaire"]
    form = copy.deepcopy(resolve(canonical) or good()[response]["contained"][0])
    for _ in range(data.draw(st.integers(1, 4))):
        owner, key = data.draw(st.sampled_from(places(form)))
        owner[key] = copy.deepcopy(data.draw(st.sampled_from(WORDS)))
    found = check(good()[response], questionnaire=form, resolve=resolve)
    assert all(isinstance(issue, Issue) for issue in found)
