"""HL7's reference validator gives each document of the corpus its verdict, but for the listed differences."""

from __future__ import annotations

import pytest

from tests.agreement.corpus import HERE, UK_CORE, cases
from tests.agreement.differences import differences
from tests.conformance.reference import Job, require_reference, standard_load, validate

pytestmark = pytest.mark.conformance


def test_verdicts() -> None:
    require_reference()
    asked = [case for case in cases() if case.needs != "ukcore" or UK_CORE.is_dir()]
    found = validate([Job(case.id, case.document) for case in asked], [*standard_load(), HERE / "content"])
    wrong = {}
    for case in asked:
        errors = [str(message) for message in found[case.id] if message.is_error]
        listed = differences().get(case.id)
        wanted = case.verdict if listed is None else listed.hl7
        if ("error" if errors else "ok") != wanted:
            wrong[case.id] = errors or "no error"
    assert wrong == {}
