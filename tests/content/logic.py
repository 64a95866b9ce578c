"""Section 1 of the guidance's decision tables, written a second time and independently of the plan.

It reads plain answers, not FHIR, so that the plan's FHIRPath has something to be compared with.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.content.content import BASE

LONDON = ZoneInfo("Europe/London")
SYSTEMS = {
    "lesion.nature": "htg117-lesion-nature",
    "lesion.site": "htg117-bone-site",
    "aim": "htg117-aim",
    "treatment.analgesia": "htg117-treatment-status",
    "treatment.radiotherapy": "htg117-treatment-status",
    "mdt.outcome": "htg117-mdt-outcome",
}
Found = tuple[str, str | None]
MET: Found = ("met", None)
NOT_MET: Found = ("not-met", None)


def unknown(reason: str) -> Found:
    """Unknown for this reason."""
    return ("unknown", reason)


@dataclass(frozen=True)
class Answers:
    """The answers of one form by linkId, and when it was authored."""

    given: dict[str, Any]
    authored: str | None = "2026-06-30T12:00:00+01:00"

    def __getitem__(self, link_id: str) -> Any:
        """The answer, None where there is none."""
        return self.given.get(link_id)


def latest_day(text: str) -> date:
    """The latest day that a FHIR date of any precision can mean."""
    parts = [int(part) for part in text.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    return date(year, month, parts[2] if len(parts) > 2 else calendar.monthrange(year, month)[1])


def assessment_day(authored: str | None) -> date | None:
    """The form's date as a calendar date in Europe/London; of a partial date, the latest possible day."""
    if authored is None:
        return None
    if "T" not in authored:
        return latest_day(authored)
    return datetime.fromisoformat(authored).astimezone(LONDON).date()


def findings(form: Answers) -> dict[str, Found]:
    """Each criterion's truth and reason."""
    return {
        "malignant-bone-lesion": _malignant(form),
        "painful": _painful(form),
        "palliative-aim": _aim(form),
        "other-treatment-failed": _treatment(form),
        "mdt-selected": _mdt(form),
        **{
            f"{name}-arrangements": _yes_no(form[f"arrangements.{name}"])
            for name in ("consent", "audit", "governance")
        },
    }


def outcome(found: dict[str, Found]) -> str:
    """The outcome: the first that holds."""
    if found["malignant-bone-lesion"] == NOT_MET:
        return "outside-guidance"
    truths = {truth for truth, _ in found.values()}
    if "not-met" in truths:
        return "criteria-not-met"
    return "information-needed" if "unknown" in truths else "criteria-met"


def notes(form: Answers, found: dict[str, Found]) -> set[str]:
    """The notes that accompany the outcome."""
    benign = form["lesion.nature"] == "benign"
    sites = set(form["lesion.site"] or ())
    treatments = {form["treatment.analgesia"], form["treatment.radiotherapy"]}
    chosen = {
        "recommendation": not benign,
        "benign": benign,
        "one-unsuitable": found["other-treatment-failed"] == MET and "unsuitable" in treatments,
        "fluoroscopy": form["technique.fluoroscopy"] is not True,
        "joint-leak": bool(sites & {"acetabulum", "femur"}) or form["lesion.near-joint"] is True,
        "vertebroplasty": "vertebra" in sites,
        "vertebroplasty-guidance": "vertebra" in sites,
        "sacroplasty": "sacrum" in sites,
    }
    always = {"patient-information", "cement-types", "after-procedure"}
    return always | {code for code, holds in chosen.items() if holds}


def proposals(form: Answers, found: dict[str, Found]) -> set[str]:
    """The actions that are proposed."""
    radiotherapy = form["treatment.radiotherapy"]
    last = form["treatment.radiotherapy.last-fraction"]
    assessed = assessment_day(form.authored)
    due = None if last is None else latest_day(last) + timedelta(days=14)
    dated = due is not None and assessed is not None and form["treatment.analgesia"] != "controlling"
    later = dated and assessed > due  # type: ignore[operator]
    awaited = radiotherapy == "given-awaiting-effect"
    too_early = (
        dated and radiotherapy == "failed" and latest_day(last) <= assessed < due  # type: ignore[operator]
    )
    chosen = {
        "mdt-referral": form["mdt.outcome"] == "not-discussed",
        "record-mdt-outcome": form["mdt.outcome"] == "pending",
        "reassess-after-radiotherapy": (dated and awaited and not later) or too_early,
        "update-radiotherapy-answer": awaited and later,
        "complete-form": any(reason in ("missing", "contradictory") for _, reason in found.values()),
        "after-procedure": outcome(found) == "criteria-met" and form["technique.fluoroscopy"] is True,
    }
    return {name for name, holds in chosen.items() if holds}


def response(form: Answers) -> dict[str, Any]:
    """The answers as a completed QuestionnaireResponse."""
    items = []
    for link_id, value in form.given.items():
        if value is not None:
            values = value if isinstance(value, list) else [value]
            items.append({"linkId": link_id, "answer": [_answer(link_id, each) for each in values]})
    filled: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "id": "form",
        "questionnaire": f"{BASE}/Questionnaire/htg117-eligibility|2006.1.0",
        "status": "completed",
    }
    if form.authored is not None:
        filled["authored"] = form.authored
    return filled | {"item": items} if items else filled


def _answer(link_id: str, value: Any) -> dict[str, Any]:
    if link_id in SYSTEMS:
        return {"valueCoding": {"system": f"{BASE}/CodeSystem/{SYSTEMS[link_id]}", "code": value}}
    if isinstance(value, bool):
        return {"valueBoolean": value}
    return {"valueDecimal": value} if isinstance(value, Decimal) else {"valueDate": value}


def _malignant(form: Answers) -> Found:
    nature = form["lesion.nature"]
    if nature in ("bone-metastasis", "primary-malignant-bone-tumour"):
        return MET
    if nature == "benign":
        return NOT_MET
    return unknown("guidance-silent" if nature == "haematological-malignancy" else "missing")


def _painful(form: Answers) -> Found:
    if form["pain.present"] is False and form["pain.score"] is not None and form["pain.score"] > 0:
        return unknown("contradictory")
    return _yes_no(form["pain.present"])


def _aim(form: Answers) -> Found:
    if not form["aim"]:
        return unknown("missing")
    return MET if {"reduce-pain", "stabilise-bone"} & set(form["aim"]) else NOT_MET


def _treatment(form: Answers) -> Found:
    both = [form["treatment.analgesia"], form["treatment.radiotherapy"]]
    if any(each in (None, "not-known") for each in both):
        return unknown("missing")
    if "controlling" in both or both == ["not-tried", "not-tried"]:
        return NOT_MET
    if "given-awaiting-effect" in both:
        return unknown("awaiting")
    if both[1] == "failed" and (reason := _too_early(form)):
        return unknown(reason)
    if {"not-tried", "declined"} & set(both) or both == ["unsuitable", "unsuitable"]:
        return unknown("guidance-silent")
    return MET


def _too_early(form: Answers) -> str | None:
    last, assessed = form["treatment.radiotherapy.last-fraction"], assessment_day(form.authored)
    if last is None or assessed is None:
        return "missing"
    if latest_day(last) > assessed:
        return "contradictory"
    return "awaiting" if assessed - latest_day(last) < timedelta(days=14) else None


def _mdt(form: Answers) -> Found:
    said, held = form["mdt.outcome"], form["mdt.date"]
    if said in (None, "not-known"):
        return unknown("missing")
    if said == "pending":
        return unknown("awaiting")
    if said == "not-discussed":
        return NOT_MET
    assessed = assessment_day(form.authored)
    if held is not None and assessed is None:
        return unknown("missing")
    if held is not None and assessed is not None and latest_day(held) > assessed:
        return unknown("contradictory")
    return MET if said == "selected" else NOT_MET


def _yes_no(value: Any) -> Found:
    if value is None:
        return unknown("missing")
    return MET if value else NOT_MET
