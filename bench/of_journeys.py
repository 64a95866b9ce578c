"""The journeys in process: a form validated and assessed, extracted, a plan applied, and start-up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from bench import samples
from bench.measure import Row, median
from service.adapters.content import load
from service.fhir import validation
from service.fhir.extraction import extract
from service.fhir.json_text import decode, encode
from service.fhir.plans import render_care_plan
from service.operations.apply import Call, apply_plan
from service.operations.assess import Plans, assess_form
from tests.cases import read, response

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure() -> Iterator[Row]:
    """The rows of the group."""
    content = load()
    plans = Plans(content)
    case = next(iter(read("htg117", "outcome")))
    published = content.read("Questionnaire", case.form)
    assert published is not None
    form = decode(encode(response(case, published.resource))).resource
    plan = plans.for_form(form)
    assert plan is not None

    def assess() -> None:
        validation.check(
            form,
            questionnaire=published.resource,
            resolve=content.resolve,
            terminology=content.terminology,
        )
        assess_form(form, plans)

    yield Row("validate and assess a completed eligibility form", median(assess), 2, 0.8)
    call = Call("Patient/case", "2026-01-01T00:00:00Z", data=(form,))
    yield Row(
        "$apply to a CarePlan",
        median(lambda: render_care_plan(apply_plan(plan.resource, call, plans, content))),
        3,
        1,
    )
    observed = samples.questionnaire(extract=True), samples.response(extract=True)
    template = samples.templated_questionnaire(), samples.templated_response()
    for form_, response_ in (observed, template):
        found = extract(response_, form_, new_id=_new_id)
        if len(found.entries) != 40:
            raise SystemExit(f"40 Observations are expected, not {len(found.entries)}: {found.issues[:3]}")
    yield Row(
        "$extract of 40 Observations, observation-based",
        median(lambda: extract(observed[1], observed[0], new_id=_new_id)),
        0.5,
        0.15,
    )
    yield Row(
        "$extract of 40 Observations, template-based",
        median(lambda: extract(template[1], template[0], new_id=_new_id)),
        3,
        1,
    )
    first, later, memory = _starts()
    yield Row("start-up: imports, content, records, application", later, 1500)
    yield Row("the first start: tables made and all content checked too", first)
    yield Row("resident memory of that process", memory, 150, unit="MiB")


def _new_id(key: str) -> str:
    return f"urn:uuid:{key}"


_START = (
    "import resource, sys, time; start = time.perf_counter()\n"
    "from service.app import build\n"
    "from service import settings\n"
    "url = f'sqlite:///{sys.argv[1]}/records.sqlite3'\n"
    "build(settings.read({'HTG117_DATABASE_URL': url, 'HTG117_CACHE': sys.argv[1]}))\n"
    "print((time.perf_counter() - start) * 1000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
)


def _starts() -> tuple[float, float, float]:
    """Milliseconds of the first start on a machine and of a later one (median of 5), and its MiB."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for _ in range(6):
            done = subprocess.run(
                [sys.executable, "-c", _START, folder],
                capture_output=True,
                check=True,
                text=True,
                env=environment,
            )
            made.append(tuple(float(figure) for figure in done.stdout.split()))
    later = sorted(made[1:])[2]
    return made[0][0], later[0], later[1]
