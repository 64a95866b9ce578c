"""The description of the addresses of safety reports, with examples."""

from __future__ import annotations

from typing import Any

from service.domain.safety_report import Branch, Reporter, State
from service.operations.report.batching import MOST
from service.operations.report.steps import AMENDMENTS
from service.operations.report.strays import OPEN, SEEN
from service.web.openapi_parts import failed, header, query, shared
from service.web.reports.asked import NEEDS, SERIOUSNESS
from service.web.reports.changing import REASONED
from service.yellow_card.pdf import KIND as PDF

Part = dict[str, Any]
JSON = "application/json"
_TEXT: Part = {"type": "string"}
_CASE = "5f0f9a52-0d0c-5b5a-9d50-2f1f0a6f5c11"
_BY: Part = {
    "type": "string",
    "maxLength": 200,
    "description": "The person who does it; kept with the change.",
}
_IF_MATCH = header("If-Match", "The version of the report that must stand.", 'W/"1"')
_DID = {
    "cancel": "Cancels it; one that was submitted is nullified instead",
    "back": "Makes it a draft again",
    "nullify": "Says that a nullification is due: a version that takes the case back",
    "ask-follow-up": "Says that a follow-up is due",
    "leave-follow-up": "Says that no follow-up is needed after all",
    "look-over": "Takes its flag away: a person has looked into it",
}


def paths(renderings: list[str]) -> Part:
    """Every address under ``/reports``. ``renderings`` are the names of those that this site has."""
    found: Part = {
        "/reports": {"get": _listing(), "post": _making()},
        "/reports/{case}": {"get": _reading()},
        "/reports/{case}/renderings/{rendering}": {"get": _rendering(renderings)},
    }
    answered = _acknowledging(
        "takeAcknowledgement", _answer("ReportsMade", "The reports that it speaks of"), []
    )
    found["/reports/acknowledgements"] = {"get": _strays(), "post": answered}
    found["/reports/acknowledgements/{digest}"] = {"get": _stray_body()}
    found["/reports/acknowledgements/{digest}/look-over"] = {"post": _stray_seen()}
    own = _answer("Report", "The report as it stands then")
    found["/reports/batch"] = {"post": _batch()}
    found["/reports/{case}/acknowledgement"] = {
        "post": _acknowledging("reportAcknowledgement", own, [_case()])
    }
    for step, (said, members, needed, example) in _steps(renderings).items():
        found[f"/reports/{{case}}/{step}"] = {"post": _step(step, said, members, needed, example)}
    return found


def _steps(renderings: list[str]) -> dict[str, tuple[str, Part, list[str], Part]]:
    boolean: Part = {"type": "boolean"}
    steps: dict[str, tuple[str, Part, list[str], Part]] = {
        "ready": ("Makes it ready to be exported", {"note": _TEXT}, [], {"by": "Dr A Example"}),
        "export": (
            "Makes its files and keeps them; nothing is submitted by that",
            {"renderings": {"type": "array", "items": {"enum": renderings}}},
            [],
            {"renderings": ["sheet"], "by": "Dr A Example"},
        ),
        "submit": (
            "Gives it to the site's gateway; with byHand records that a person submitted it",
            {"byHand": boolean},
            [],
            {"byHand": True, "by": "Dr A Example"},
        ),
        "reference": (
            "Records the reference number that the recipient gave, typed, or as an AdverseEvent carries it",
            {"reference": {"type": "string", "maxLength": 100}, "adverseEvent": {"type": "object"}},
            [],
            {"reference": "YC-2026-0001", "by": "Dr A Example"},
        ),
        "follow-up": (
            "Begins the next version of the case from what is recorded now",
            {"amendment": {"enum": list(AMENDMENTS)}, "reason": _TEXT},
            [],
            {"reason": "The device was examined", "by": "Dr A Example"},
        ),
        "entries": (
            "Enters values on the report, each at its path; a changed report is a draft again",
            {"values": {"type": "object", "minProperties": 1}},
            ["values"],
            {"values": {"devices.0.model": "EC-20"}, "by": "Dr A Example"},
        ),
        "reporter": (
            "Enters who reports",
            {name: {"type": ["string", "null"]} for name in Reporter.__slots__},
            [],
            {"name": "Dr A Example", "profession": "physician", "email": "a.example@example.org"},
        ),
        "cleared": (
            "Keeps a person's word that a text does not identify the patient",
            {"path": _TEXT, "reason": _TEXT},
            ["path", "reason", "by"],
            {"path": "narrative", "reason": "The number is a lot number", "by": "Dr A Example"},
        ),
        "branch": (
            "Keeps a person's decision on the branch; asWell takes up an offered one beside it",
            {"branch": {"enum": [str(one) for one in Branch]}, "reason": _TEXT, "asWell": boolean},
            ["branch", "reason", "by"],
            {"branch": "local", "reason": "No device was involved", "by": "Dr A Example"},
        ),
    }
    for step in REASONED:
        steps[step] = (_DID[step], {"reason": _TEXT}, ["reason"], {"reason": "Why", "by": "Dr A Example"})
    return steps


def _step(step: str, said: str, members: Part, needed: list[str], example: Part) -> Part:
    schema: Part = {"type": "object", "properties": {"by": _BY} | members, "additionalProperties": False}
    if needed:
        schema["required"] = needed
    made = step == "branch"
    good = _answer("ReportsMade" if made else "Report", f"The report{'s' if made else ''} as it stands then")
    answers = {"200": good} | ({"201": good} if made else {})
    word = "".join(part.title() for part in step.split("-"))
    return _operation(
        f"report{word}", said, [_case(), _IF_MATCH], answers | failed(409, 412, 413, 415, 422)
    ) | {
        "requestBody": {
            "required": bool(needed),
            "content": {JSON: {"schema": schema, "example": example}},
        }
    }


def _acknowledging(id_: str, good: Part, given: list[Part]) -> Part:
    said = "Takes what a recipient answered to an E2B(R3) message, and keeps it on the reports it speaks of"
    xml = {"schema": {"type": "string"}, "example": '<MCCI_IN200101UV01 xmlns="urn:hl7-org:v3"/>'}
    kept = good | {"description": "Something in it belongs to no report sent from here: kept and flagged"}
    return _operation(id_, said, given, {"200": good, "202": kept} | failed(409, 413, 415, 422)) | {
        "requestBody": {"required": True, "content": {"application/xml": xml}}
    }


def _batch() -> Part:
    ids: Part = {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": MOST, "uniqueItems": True}
    schema: Part = {
        "type": "object",
        "required": ["cases"],
        "additionalProperties": False,
        "properties": {"cases": ids, "by": _BY},
    }
    example = {"cases": [_CASE, "0f5d7a4e-93a3-5d0e-9a51-6a2f0f6f5c22"], "by": "Dr A Example"}
    said = "Prepares several ready reports about medicines as one E2B(R3) message; all of them or none"
    good = _answer("ReportBatch", "The reports, and the file that holds them")
    return _operation("batchReports", said, [], {"200": good} | failed(409, 413, 415, 422)) | {
        "requestBody": {"required": True, "content": {JSON: {"schema": schema, "example": example}}}
    }


def _strays() -> Part:
    given = [query("state", "open, unless a person has looked into them.", {"enum": [OPEN, SEEN]})]
    good = _answer("UnjoinedAcknowledgements", "Those that could not be joined")
    said = "Lists acknowledgements that belong to no report sent from here"
    return _operation("listUnjoined", said, given, {"200": good} | failed())


def _stray_body() -> Part:
    good: Part = {"description": "The file, byte for byte", "content": {"application/xml": {"schema": _TEXT}}}
    return _operation(
        "readUnjoined", "Gives one of them as it came", [_digest()], {"200": good} | failed(409)
    )


def _stray_seen() -> Part:
    schema: Part = {
        "type": "object",
        "required": ["reason", "by"],
        "additionalProperties": False,
        "properties": {"reason": _TEXT, "by": _BY},
    }
    example = {"reason": "Another hospital's; passed on", "by": "Dr A Example"}
    said = "Keeps a person's word on one of them; it is kept, and needs attention no more"
    good = _answer("UnjoinedAcknowledgement", "It as it stands then")
    return _operation("lookOverUnjoined", said, [_digest()], {"200": good} | failed(409, 413, 415)) | {
        "requestBody": {"required": True, "content": {JSON: {"schema": schema, "example": example}}}
    }


def _digest() -> Part:
    return {
        "name": "digest", "in": "path", "required": True, "description": "The file's SHA-256.",
        "example": "0" * 64, "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    }  # fmt: skip


def _listing() -> Part:
    whole: Part = {"type": "integer", "minimum": 0}
    given = [
        query("state", "States, separated by commas.", _listed([str(one) for one in State])),
        query("branch", "Branches, separated by commas.", _listed([str(one) for one in Branch])),
        query("seriousness", "Seriousness, separated by commas.", _listed(list(SERIOUSNESS))),
        query("age", "Only reports made at least so many days ago.", whole | {"maximum": 36500}),
        query("event", "Only those of AdverseEvent/[id]."),
        query("form", "Only those of QuestionnaireResponse/[id]."),
        query("needs", "attention: only what somebody should look at now, with why.", {"enum": list(NEEDS)}),
        query("_count", "How many at a time.", {"type": "integer", "minimum": 1, "maximum": 1000}),
        query("_format", "json or html.", {"enum": ["json", "html"]}),
    ]
    good = _answer("Reports", "The reports, the newest first")
    good["content"]["text/html"] = {"schema": _TEXT}
    return _operation("listReports", "Lists safety reports", given, {"200": good} | failed())


def _listed(values: list[str]) -> Part:
    return {"type": "array", "items": {"enum": values}}


def _making() -> Part:
    schema: Part = {
        "type": "object",
        "required": ["event"],
        "additionalProperties": False,
        "properties": {
            "event": {"type": "string", "description": "AdverseEvent/[id], as it is kept here."},
            "patient": {"type": "object", "description": "The Patient, of whom age and sex alone are told."},
            "by": _BY,
        },
    }
    good = _answer("ReportsMade", "The reports of the event")
    answers = {"200": good, "201": good} | failed(409, 410, 413, 415, 422)
    example = {"event": f"AdverseEvent/{_CASE}", "by": "Dr A Example"}
    return _operation(
        "makeReports", "Drafts the reports of an adverse event, or refreshes them", [], answers
    ) | {"requestBody": {"required": True, "content": {JSON: {"schema": schema, "example": example}}}}


def _reading() -> Part:
    good = _answer("Report", "Everything there is to know of it")
    good["content"]["text/html"] = {"schema": _TEXT}
    given = [
        _case(),
        query("_format", "json or html.", {"enum": ["json", "html"]}),
        {"$ref": "#/components/parameters/IfNoneMatch"},
    ]
    return _operation(
        "readReport", "Reads one safety report", given,
        {"200": good, "304": {"description": "The client's copy stands"}} | failed(),
    )  # fmt: skip


def _rendering(renderings: list[str]) -> Part:
    named = {
        "name": "rendering", "in": "path", "required": True, "schema": {"enum": [*renderings, PDF]},
        "description": "Which.", "example": "sheet",
    }  # fmt: skip
    good = {"description": "The report as it stands; nothing is kept", "content": {"*/*": {"schema": _TEXT}}}
    return _operation(
        "renderReport", "Gives a safety report in one of its renderings", [_case(), named],
        {"200": good} | failed(422),
    )  # fmt: skip


def _case() -> Part:
    return {
        "name": "case", "in": "path", "required": True, "description": "The case's id.", "example": _CASE,
        "schema": {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"},
    }  # fmt: skip


def _answer(schema: str, said: str) -> Part:
    return {"description": said, "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _operation(id_: str, said: str, given: list[Part], answers: Part) -> Part:
    return {
        "operationId": id_,
        "summary": said,
        "description": "",
        "tags": ["reports"],
        "parameters": [*shared(), *given],
        "responses": answers,
    }
