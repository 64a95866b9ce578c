"""The one door to fhir.resources: the same content in and out, and refusals of the service's own."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.errors import Invalid
from service.fhir import resources
from tests.fhir.validation.samples import OBSERVATION, SAMPLES


@pytest.mark.parametrize("resource", SAMPLES, ids=lambda each: each["id"])
def test_a_typed_resource_has_the_same_content(resource: dict[str, Any]) -> None:
    assert resources.plain(resources.typed(resource)) == resource


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ({**OBSERVATION, "subjct": "x"}, "Observation.subjct"),
        ({"resourceType": "Foo"}, "resourceType"),
        ({"resourceType": "MedicinalProduct"}, "MedicinalProduct"),
        (
            {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": {"resourceType": "Foo"}}],
            },
            "Bundle",
        ),
    ],
)
def test_what_the_models_refuse_is_invalid_with_a_place(resource: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as caught:
        resources.typed(resource)
    assert [issue.expression for issue in caught.value.issues] == [place]


def test_what_nests_too_deeply_is_invalid() -> None:
    item: dict[str, Any] = {"linkId": "x"}
    for _ in range(300):
        item = {"linkId": "x", "item": [item]}
    with pytest.raises(Invalid, match="nests more than"):
        resources.typed({"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item]})
