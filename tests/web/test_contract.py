"""Schemathesis: no request that the description allows, or forbids, gets a 5xx or an undescribed answer."""

from __future__ import annotations

import tempfile
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.adapters.records import connect
from service.app import build
from service.settings import Settings

_folder = tempfile.mkdtemp(prefix="htg117-contract-")
_store = connect(f"sqlite:///{_folder}/records.sqlite3")
schema = schemathesis.openapi.from_asgi("/openapi.json", build(Settings(), store=_store))
PATHS = r"^/(?!fhir)|/fhir/(metadata|Observation|Questionnaire|PlanDefinition|ValueSet)"
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.slow
@schema.include(path_regex=PATHS).parametrize()
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_service_keeps_to_its_description(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(checks=CHECKS)
