"""A group of exceptions that nobody foresaw ends like any other: told, on record, and without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.domain.errors import Unavailable
from tests.web.hooks.asking import SIGN, sign, stored

if TYPE_CHECKING:
    from tests.web.conftest import Client
    from tests.web.hooks.conftest import Adviser


@pytest.mark.parametrize(
    "group",
    [
        ExceptionGroup("unhandled errors in a TaskGroup", [KeyError("9990000018")]),
        ExceptionGroup("g", [ExceptionGroup("h", [Unavailable("down")]), OSError("9990000018")]),
    ],
)
def test_a_group_of_exceptions_is_an_operation_outcome(
    client: Client, adviser: Adviser, group: ExceptionGroup
) -> None:
    adviser.fault = group
    answer = client.post(SIGN, json=sign())
    assert (answer.status_code, answer.json()["resourceType"]) == (500, "OperationOutcome")
    assert "9990000018" not in answer.text
    (event,) = stored(client.app.state.services.records, "AuditEvent")
    assert event["outcome"] == "8"
