"""The list of differences is in order: each is one, is about a case, and upholds what the case says."""

from __future__ import annotations

from tests.agreement.corpus import cases
from tests.agreement.differences import differences


def test_each_difference_is_one() -> None:
    verdicts = {case.id: case.verdict for case in cases()}
    for listed in differences().values():
        assert listed.case in verdicts
        assert {listed.hl7, listed.ours} == {"ok", "error"}
        assert listed.right in {"ours", "hl7"}
        assert verdicts[listed.case] == (listed.ours if listed.right == "ours" else listed.hl7)
        assert listed.source
        assert listed.says.endswith(".")
