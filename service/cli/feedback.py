"""``feedback``: what users did with the cards, summed up."""

from __future__ import annotations

import csv
import json
import sys
from datetime import datetime  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.exits import Exit
from service.cli.keeping import opened_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.operations.feedback import Total

_COLUMNS = ("service", "month", "accepted", "overridden", "reason", "count", "comments", "unknown")


def feedback(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only outcomes since this day.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, an object a row.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV, a line for each override reason.")] = False,
) -> None:
    """What users did with the cards of CDS Hooks, per service and month: accepted, or overridden and why.

    EHRs send it to /cds-services/{id}/feedback. Of each card its last outcome counts, in the month (UTC) of
    that outcome. Cards that nobody touched are not in it: EHRs do not tell of them. "unknown" counts cards
    that no recorded call was answered with: look into them if there are many. Users' own comments are only
    counted here; they may name a patient.

    Examples: htg117 feedback --since 2026-01-01; htg117 feedback --csv > overrides.csv
    """
    if as_json and as_csv:
        print("ask for --json or --csv, not for both", file=sys.stderr)
        raise typer.Exit(Exit.USAGE)
    from service.operations.feedback import summarise
    from service.operations.searching.dates import LOCAL

    with opened_records() as store:
        totals = summarise(store, since.replace(tzinfo=LOCAL) if since else None)
    if as_json:
        print(json.dumps([_object(one) for one in totals], indent=2, ensure_ascii=False))
    elif as_csv:
        _write_csv(totals)
    elif totals:
        _write_table(totals)
    else:
        print("no feedback is stored" + (f" since {since:%Y-%m-%d}" if since else ""))


def _reasons(total: Total) -> list[tuple[str, int]]:
    return sorted(total.reasons.items(), key=lambda one: (-one[1], one[0]))


def _object(total: Total) -> dict[str, object]:
    return {
        "service": total.service,
        "month": total.month,
        "accepted": total.accepted,
        "overridden": total.overridden,
        "reasons": dict(_reasons(total)),
        "comments": total.comments,
        "unknown": total.unknown,
    }


def _write_csv(totals: Sequence[Total]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(_COLUMNS)
    for one in totals:
        for reason, count in _reasons(one) or [("", 0)]:
            out.writerow(
                (one.service, one.month, one.accepted, one.overridden, _inert(reason), count, one.comments,
                 one.unknown)
            )  # fmt: skip


def _inert(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula: EHRs choose these words."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _write_table(totals: Sequence[Total]) -> None:
    rows = [("service", "month", "accepted", "overridden", "unknown", "reasons")]
    for one in totals:
        reasons = "; ".join(f"{count} × {_plain(reason)}" for reason, count in _reasons(one))
        rows.append(
            (one.service, one.month, str(one.accepted), str(one.overridden), str(one.unknown), reasons)
        )
    widths = [max(len(row[at]) for row in rows) for at in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[5]]).rstrip())


def _plain(text: str) -> str:
    """The text on one line, without what a terminal would obey."""
    return "".join(part if part.isprintable() else " " for part in text)
