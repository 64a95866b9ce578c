"""Reports as CSV for a local incident system, one row an event, and references read back from one.

RFC 4180, UTF-8, in columns that do not change within a version. A cell that a spreadsheet would take for a
formula is given an apostrophe in front (OWASP, CSV injection). No patient is identified.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from service.domain.errors import Refused
from service.domain.safety_report import Branch
from service.yellow_card.material import file_name
from service.yellow_card.rendered import Rendered
from service.yellow_card.wording import clean, name, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.domain.safety_report import ReportedDevice, ReportedEvent, ReportedMedicine, SafetyReport
    from service.domain.site import Site
    from service.yellow_card.fields import Words
    from service.yellow_card.material import Material

KIND = "csv"
CASE, REFERENCE = "case", "yellow_card_reference"
COLUMNS = (
    CASE, "version", "state", "branch", "decided_by", REFERENCE, "linked_cases", "received", "updated",
    "event_number", "event_code", "event", "actuality", "onset", "recognised", "ended", "seriousness",
    "severity", "outcome", "suspected", "suspect_reason", "treatment",
    "device_kind", "device_product", "device_manufacturer", "device_model", "device_lot", "device_serial",
    "device_udi", "device_location", "device_faulty",
    "medicine_name", "medicine_batch", "medicine_dose", "medicine_route",
    "procedure", "procedure_date", "age", "age_unit", "age_band", "sex", "nation", "organisation", "ods_code",
    "narrative",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
LARGEST = 100_000
"""Rows that are read back at once."""


def csv_export(report: SafetyReport, _site: Site, material: Material) -> Rendered:
    """One report as CSV with its header."""
    body = write([report], material.words)
    return Rendered("text/csv; charset=utf-8", file_name(report, ".csv"), body, KIND)


def write(reports: Iterable[SafetyReport], words: Words) -> bytes:
    """The header and a row for each event of each report. Several devices or medicines share their cells."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for report in reports:
        for number, event in enumerate(report.events, start=1):
            writer.writerow({key: _cell(value) for key, value in _row(report, number, event, words).items()})
    return text.getvalue().encode()


def _row(report: SafetyReport, number: int, event: ReportedEvent, words: Words) -> dict[str, Any]:
    subject, procedure = report.subject, report.procedure

    def called(listed: str, code: str | None) -> str | None:
        return name(code, listed, words) if code else None

    serious = event.seriousness
    return {
        CASE: report.case,
        "version": report.version,
        "state": report.state.value,
        "branch": report.branch.value,
        "decided_by": report.decided_by,
        REFERENCE: report.yellow_card,
        "linked_cases": _joined(report.linked),
        "received": report.received,
        "updated": report.updated,
        "event_number": number,
        "event_code": event.term.code,
        "event": event.text,
        "actuality": event.actuality,
        "onset": event.onset,
        "recognised": event.recognised,
        "ended": event.end,
        "seriousness": "unknown" if serious is None else _joined(serious) or "none",
        "severity": event.severity,
        "outcome": event.outcome,
        "suspected": _joined(called("event.suspect", code) for code in event.suspects),
        "suspect_reason": event.suspect_reason,
        "treatment": event.treatment,
        **(_devices(report.devices, words) if report.branch is not Branch.MEDICINE else {}),
        **(_medicines(report.medicines) if report.branch is not Branch.DEVICE else {}),
        "procedure": procedure and procedure.text,
        "procedure_date": procedure and procedure.date,
        "age": None if subject.age is None else plain(subject.age),
        "age_unit": None if subject.age is None else subject.age_unit,
        "age_band": subject.age_band,
        "sex": subject.sex,
        "nation": report.nation,
        "organisation": report.reporter.organisation,
        "ods_code": report.reporter.ods,
        "narrative": report.narrative,
    }


def _devices(devices: tuple[ReportedDevice, ...], words: Words) -> dict[str, str]:
    return {
        "device_kind": _joined(one.kind and name(one.kind, "event.suspect", words) for one in devices),
        "device_product": _joined(one.product for one in devices),
        "device_manufacturer": _joined(one.manufacturer for one in devices),
        "device_model": _joined(one.model for one in devices),
        "device_lot": _joined(one.lot for one in devices),
        "device_serial": _joined(one.serial for one in devices),
        "device_udi": _joined(one.udi for one in devices),
        "device_location": _joined(one.location for one in devices),
        "device_faulty": _joined(
            None if one.fault is None else ("yes" if one.fault else "no") for one in devices
        ),
    }


def _medicines(medicines: tuple[ReportedMedicine, ...]) -> dict[str, str]:
    return {
        "medicine_name": _joined(one.name for one in medicines),
        "medicine_batch": _joined(one.batch for one in medicines),
        "medicine_dose": _joined(one.dose for one in medicines),
        "medicine_route": _joined(one.route for one in medicines),
    }


def _joined(parts: Iterable[str | None]) -> str:
    return "; ".join(part for part in parts if part)


def _cell(value: Any) -> str:
    text = clean("" if value is None else str(value))
    return (
        f"'{text}"
        if text.lstrip(" \N{NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}").startswith(_FORMULA)
        else text
    )


def read_references(text: str) -> tuple[tuple[str, str], ...]:
    """Case and Yellow Card reference of each row of an incident system's CSV that has both.

    Refused where a column is missing, where one case has two references, or where there are too many rows.
    """
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        columns = [column.strip().lstrip("\N{ZERO WIDTH NO-BREAK SPACE}") for column in rows.fieldnames or ()]
        lacking = [column for column in (CASE, REFERENCE) if column not in columns]
        if lacking:
            raise Refused(
                f"the CSV has no column {' and no column '.join(lacking)}; its first line names the columns"
            )
        rows.fieldnames = columns
        found: dict[str, str] = {}
        for count, row in enumerate(rows, start=1):
            if count > LARGEST:
                raise Refused(f"the CSV has more than {LARGEST} rows; send it in parts")
            case, reference = ((row[column] or "").strip().removeprefix("'") for column in (CASE, REFERENCE))
            if case and reference and found.setdefault(case, reference) != reference:
                raise Refused(
                    f"line {rows.line_num} gives case {case[:80]} another reference than a line before it"
                )
    except csv.Error as fault:
        raise Refused(f"the CSV cannot be read: {fault}") from None
    return tuple(found.items())
