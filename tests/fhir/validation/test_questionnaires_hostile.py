"""Whatever is given, the checks of forms and responses answer; they never raise."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.issues import Issue
from service.fhir.concepts import Terminology
from service.fhir.validation import questionnaires, responses
from tests.fhir.forms.samples import (
    answered,
    coding,
    constraint,
    extension,
    fhirpath,
    form,
    group,
    item,
    response,
    when,
)

Json = dict[str, Any]

FORM = form(
    item(
        "g",
        "group",
        item("c", "choice", answerOption=[{"valueCoding": coding("red")}], required=True),
        item("v", "open-choice", answerValueSet="#vs"),
        item(
            "n",
            "integer",
            extension=[extension("core:minValue", valueInteger=0), constraint("c-2", "answer.value > 0")],
        ),
        repeats=True,
    ),
    item("d", "decimal", extension=[extension("core:maxDecimalPlaces", valueInteger=1)], code=[coding("d")]),
    item(
        "q",
        "quantity",
        extension=[
            extension(
                "sdc:minQuantity",
                valueQuantity={"value": 1, "system": "http://unitsofmeasure.org", "code": "g"},
            ),
            extension("core:questionnaire-unitOption", valueCoding={"code": "g"}),
        ],
    ),
    item(
        "s",
        "string",
        item("s.why", "date"),
        extension=[extension("core:regex", valueString="a+")],
        maxLength=9,
    ),
    item(
        "t",
        "attachment",
        enableWhen=[when("n", ">", answerInteger=1), when("c", "=", answerCoding=coding("red"))],
        enableBehavior="any",
        extension=[
            extension("core:maxSize", valueDecimal=9),
            extension("core:mimeType", valueCode="image/png"),
        ],
    ),
    item(
        "r",
        "reference",
        extension=[
            extension("core:questionnaire-referenceResource", valueCode="Device"),
            extension("sdc:enableWhenExpression", valueExpression=fhirpath("%total > 1")),
        ],
    ),
    contained=[
        {
            "resourceType": "ValueSet",
            "id": "vs",
            "compose": {"include": [{"system": "s", "concept": [{"code": "x"}]}]},
        },
        {
            "resourceType": "Observation",
            "id": "o",
            "_status": {"extension": [extension("sdc:templateExtractValue", valueString="'final'")]},
        },
    ],
    extension=[
        extension(
            "core:variable",
            valueExpression=fhirpath("item.item.where(linkId='n').answer.value", name="total"),
        ),
        extension(
            "sdc:templateExtract", extension=[{"url": "template", "valueReference": {"reference": "#o"}}]
        ),
        constraint("c-1", "item.exists()"),
    ],
    derivedFrom=["https://example.org/form"],
    effectivePeriod={"start": "2026"},
    subjectType=["Patient"],
)
RESPONSE = response(
    group(
        "g",
        answered("c", {"valueCoding": coding("red")}),
        answered("v", {"valueString": "mauve"}),
        answered("n", {"valueInteger": 2}),
    ),
    answered("d", {"valueDecimal": Decimal("6.3")}),
    answered("q", {"valueQuantity": {"value": 2, "system": "http://unitsofmeasure.org", "code": "g"}}),
    {"linkId": "s", "answer": [{"valueString": "aa", "item": [answered("s.why", {"valueDate": "2026"})]}]},
    answered("t", {"valueAttachment": {"contentType": "image/png", "data": "YQ=="}}),
    answered("r", {"valueReference": {"reference": "Device/1"}}),
    authored="2026-05-01T10:00:00Z",
    subject={"reference": "Patient/1"},
)

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(
        ["choice", "group", "display", "g", "n", "#vs", "2026", "=", ">", "text/fhirpath", "%total"]
    ),
)
_ANY = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["item", "linkId", "answer", "value", "valueCoding", "extension", "url", "type", "x"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


def _spots(node: Any) -> list[tuple[Any, Any]]:
    """Every place of a document that can be replaced: its holder and its key or index."""
    found: list[tuple[Any, Any]] = []
    entries: Any = (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    )
    for key, content in entries:
        found.append((node, key))
        found += _spots(content)
    return found


@st.composite
def _mutated(draw: st.DrawFn, document: Json) -> Json:
    """The document with up to four places replaced, removed or doubled."""
    made = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 4))):
        spots = _spots(made)
        holder, key = spots[draw(st.integers(0, len(spots) - 1))]
        deed = draw(st.sampled_from(["replace", "remove", "double"]))
        if deed == "replace":
            holder[key] = draw(_ANY)
        elif deed == "remove":
            del holder[key]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        if not made:
            break
    return made


def _resolve(canonical: str) -> Json | None:
    return FORM if canonical == "https://example.org/form" else None


def test_the_unmutated_documents_are_good() -> None:
    assert list(responses.check(RESPONSE, FORM, terminology=Terminology(_resolve))) == []


@settings(max_examples=300, deadline=None)
@given(_mutated(FORM))
def test_a_mutated_form_is_checked_and_answered(questionnaire: Json) -> None:
    for issue in questionnaires.check(questionnaire, resolve=_resolve):
        assert isinstance(issue, Issue)
    for issue in responses.check(RESPONSE, questionnaire, resolve=_resolve):
        assert isinstance(issue, Issue)


@settings(max_examples=300, deadline=None)
@given(_mutated(RESPONSE))
def test_a_mutated_response_is_checked(given_response: Json) -> None:
    for issue in responses.check(given_response, FORM, resolve=_resolve):
        assert isinstance(issue, Issue)
        assert issue.expression.startswith("QuestionnaireResponse")
        assert issue.message
        assert issue.key


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.text(max_size=8), _ANY, max_size=4),
    st.dictionaries(st.text(max_size=8), _ANY, max_size=4),
)
def test_any_two_objects_are_checked(first: Json, second: Json) -> None:
    assert isinstance(list(questionnaires.check(first)), list)
    assert isinstance(list(responses.check(first, second)), list)
