"""Our validator gives each document of the corpus its verdict, at the place and by the rule it breaks."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from service.fhir.validation import check
from tests.agreement.corpus import UK_CORE, Case, cases, resolve
from tests.agreement.differences import differences

_STEP = re.compile(r"[.\[]")


def _ours(case: Case) -> str:
    listed = differences().get(case.id)
    return case.verdict if listed is None else listed.ours


def _touches(place: str, expected: str) -> bool:
    """Whether one is at, above or below the other."""
    shorter, longer = sorted((place, expected), key=len)
    rest = longer.removeprefix(shorter)
    return longer.startswith(shorter) and (not rest or _STEP.match(rest) is not None)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_verdict(case: Case) -> None:
    if case.needs == "ukcore" and not UK_CORE.is_dir():
        pytest.skip("UK Core's profiles are no part of this project and are not beside it")
    errors = [issue for issue in check(case.document, resolve=resolve) if issue.fails]
    if _ours(case) == "ok":
        assert [str(issue) for issue in errors] == []
        return
    found = [(issue.expression, issue.key or issue.code) for issue in errors]
    assert any(_touches(place, case.at) and rule == case.rule for place, rule in found), found


def test_the_corpus_is_what_it_is_said_to_be() -> None:
    """At least 200 documents, at least half of them broken, each with a name and a sentence of its own."""
    every = cases()
    assert [name for name, count in Counter(case.id for case in every).items() if count > 1] == []
    assert {case.verdict for case in every} == {"ok", "error"}
    assert [case.id for case in every if not case.says.endswith(".")] == []
    assert [case.id for case in every if case.verdict == "error" and not (case.at and case.rule)] == []
    assert [case.id for case in every if case.verdict == "ok" and (case.at or case.rule)] == []
    broken = sum(case.verdict == "error" for case in every)
    assert len(every) >= 200
    assert broken >= len(every) / 2
