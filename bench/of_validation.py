"""Validation: a response, a Questionnaire and a Bundle, beside fhir.resources, which checks far less."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from bench import samples
from bench.measure import Row, median
from service.fhir import validation

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure() -> Iterator[Row]:
    """The rows of the group."""
    from fhir.resources.R4B.bundle import Bundle
    from fhir.resources.R4B.questionnaire import Questionnaire
    from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

    form, response = samples.questionnaire(), samples.response()
    held = {f"{form['url']}|1": form, form["url"]: form}
    grouped, bundle = samples.grouped_questionnaire(), samples.bundle()
    for document, given in ((response, form), (grouped, None), (bundle, None)):
        faults = [issue for issue in validation.check(document, questionnaire=given) if issue.fails]
        if faults:
            raise SystemExit(f"a sample is not valid: {faults[0]}")
    yield Row(
        "a response of 40 items, with its form",
        median(lambda: validation.check(response, questionnaire=form, resolve=held.get)),
        1.5,
        0.5,
        "fhir.resources (structure only)",
        median(lambda: QuestionnaireResponse.model_validate(response)),
    )
    yield Row(
        "a Questionnaire of 60 items",
        median(lambda: validation.check(grouped)),
        6,
        3,
        "fhir.resources (structure only)",
        median(lambda: Questionnaire.model_validate(grouped)),
    )
    yield Row(
        "a Bundle of 50 Observations",
        median(lambda: validation.check(bundle)),
        8,
        3,
        "fhir.resources (structure only)",
        median(lambda: Bundle.model_validate(bundle)),
    )
    yield Row("the tables, read and the first response checked", _cold(), 50)


def _cold() -> float:
    """Milliseconds from an imported checker to its first answer, in a fresh process; median of 7."""
    code = (
        "import json, sys, time\n"
        "from service.fhir import validation\n"
        "document = json.loads(sys.argv[1])\n"
        "start = time.perf_counter()\n"
        "validation.check(document)\n"
        "print((time.perf_counter() - start) * 1000)\n"
    )
    document = json.dumps({"resourceType": "Patient", "gender": "other"})
    times = sorted(
        float(subprocess.run([sys.executable, "-c", code, document], capture_output=True, check=True).stdout)
        for _ in range(7)
    )
    return times[3]
