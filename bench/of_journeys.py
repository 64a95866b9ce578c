"""The journeys in process: a form validated and assessed, extracted, a plan applied, and start-up."""

from __future__ import annotations

import subprocess
import sys
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
        validation.check(form, questionnaire=published.resource, resolve=content.resolve)
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
    yield Row("start-up: content loaded and checked, application made", _start_up(), 1500)
    yield Row("resident memory of that process", _memory(), 150, unit="MiB")


def _new_id(key: str) -> str:
    return f"urn:uuid:{key}"


_START = (
    "import time; start = time.perf_counter()\n"
    "import tempfile\n"
    "from service.app import build\n"
    "from service import settings\n"
    "folder = tempfile.mkdtemp()\n"
    "build(settings.read({'HTG117_DATABASE_URL': f'sqlite:///{folder}/records.sqlite3'}))\n"
    "import resource\n"
    "print((time.perf_counter() - start) * 1000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
)


def _runs() -> list[tuple[float, float]]:
    made = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", _START], capture_output=True, check=True, text=True)
        time_, memory = done.stdout.split()
        made.append((float(time_), float(memory)))
    return sorted(made)


def _start_up() -> float:
    return _runs()[2][0]


def _memory() -> float:
    return _runs()[2][1]
