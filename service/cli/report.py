"""``report``: safety reports seen, worked on, made into files and followed until they have a reference."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from service.cli import report_steps as steps
from service.cli.exits import Exit
from service.cli.report_text import (
    NOBODY,
    Branches,
    By,
    CaseId,
    Days,
    Json,
    Serious,
    States,
    as_json,
    as_line,
    as_text,
    opened,
    read_filters,
    summed,
)
from service.domain.errors import ServiceError

report = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Safety reports (Yellow Card): seen, worked on, made into files, followed to their reference.\n\n"
    "A report is drafted when a form with an event is submitted, or with **draft**. Then: **show** says what "
    "it lacks; **enter** fills it; **ready**; **export** makes its files; a person submits it where **show** "
    "says, or **submit** gives it to the site's gateway; **reference** records the number that came back. "
    "Until then it counts as not reported, and **attention** shows it.\n\n"
    "Exit codes: **0** done, **1** something needs attention or could not be done, **2** wrongly asked.",
)


@report.command("list")
def list_reports(
    state: States = None,
    branch: Branches = None,
    seriousness: Serious = None,
    age: Days = None,
    whole: Json = False,
) -> None:
    """The reports, the newest first: case, version, state, branch, seriousness, event."""
    from service.operations.report.listing import list_cases

    wanted = read_filters(state, branch, seriousness, age)
    with opened() as held:
        cursor, count = None, 0
        while True:
            page = list_cases(held.records, wanted, held.clock(), count=500, cursor=cursor)
            for one in page.cases:
                count += 1
                print(as_json(summed(one)) if whole else as_line(one))
            cursor = page.cursor
            if cursor is None:
                break
        if not whole:
            print(f"{count} reports", file=sys.stderr)


@report.command()
def attention(
    state: States = None,
    branch: Branches = None,
    seriousness: Serious = None,
    age: Days = None,
    whole: Json = False,
) -> None:
    """The reports that somebody should look at now, and why, the oldest first. Exit 1 where there are any."""
    from service.operations.report.attention import needing_attention
    from service.operations.report.strays import list_strays
    from service.web.reports.views import stray

    wanted = read_filters(state, branch, seriousness, age)
    with opened() as held:
        found = needing_attention(held.records, wanted, held.clock(), held.reports.site.reminder_days)
        for one in found:
            if whole:
                print(as_json(summed(one.case) | {"attention": list(one.reasons)}))
            else:
                print(as_line(one.case))
                for reason in one.reasons:
                    print(f"    {reason}")
        strays = list_strays(held.records)
        for each in strays:
            print(as_json(stray(each, "")) if whole else f"acknowledgement {each.digest}: {each.says}")
    if found or strays:
        raise typer.Exit(Exit.FAULTS)


@report.command()
def show(
    case: CaseId,
    rendering: Annotated[
        str,
        typer.Option("--as", help="One of its renderings instead: sheet, json, bundle, adverse-event, csv."),
    ] = "",
    whole: Json = False,
) -> None:
    """One report: how far it is, where it is submitted, what it lacks, what may identify the patient."""
    from service.operations.report import cases
    from service.operations.report.looking import look
    from service.web.reports.reading import render
    from service.web.reports.views import whole as everything

    with opened() as held:
        if rendering:
            sys.stdout.buffer.write(render(held.reports, case, rendering).body)
            return
        found = cases.read(held.records, case)
        shown = everything(found, look(held.reports, found), "")
        print(as_json(shown, indent=True) if whole else as_text(shown))


@report.command()
def references(
    file: Annotated[
        Path, typer.Argument(help="A CSV with the columns case and yellow_card_reference.", exists=True)
    ],
    by: By = NOBODY,
) -> None:
    """Records the references that a local incident system gives back. Exit 1 where one could not be."""
    from service.operations.report.steps import enter_reference
    from service.yellow_card.csv_export import read_references

    failed = False
    with opened() as held:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            print(f"{file}: cannot be read as UTF-8", file=sys.stderr)
            raise typer.Exit(Exit.USAGE) from None
        for case, number in read_references(text):
            try:
                done = enter_reference(held.reports, case, number, by)
            except ServiceError as fault:
                failed = True
                print(f"{case}: {fault}", file=sys.stderr)
            else:
                print(as_line(done.case))
    if failed:
        raise typer.Exit(Exit.FAULTS)


@report.command()
def table(
    output: Annotated[Path, typer.Argument(help="The CSV to write.", dir_okay=False)],
    state: States = None,
    branch: Branches = None,
    seriousness: Serious = None,
    age: Days = None,
) -> None:
    """The reports as CSV for a local incident system. Exit 1 where one is held back, with why."""
    from service.operations.report.files import tabulate
    from service.operations.report.listing import list_cases
    from service.operations.report.looking import look

    wanted = read_filters(state, branch, seriousness, age)
    with opened() as held:
        told, back, cursor = [], 0, None
        while True:
            page = list_cases(held.records, wanted, held.clock(), count=500, cursor=cursor)
            for one in page.cases:
                hits = look(held.reports, one).hits
                if hits:
                    back += 1
                    places = ", ".join(dict.fromkeys(hit.path for hit in hits))
                    print(f"{one.id} is held back: {places} may identify the patient", file=sys.stderr)
                else:
                    told.append(one.report)
            cursor = page.cursor
            if cursor is None:
                break
        output.write_bytes(tabulate(held.content, told))
        print(f"{len(told)} reports in {output}", file=sys.stderr)
    if back:
        raise typer.Exit(Exit.FAULTS)


for command in (
    steps.draft, steps.enter, steps.clear, steps.override, steps.ready, steps.export, steps.batch,
    steps.submit, steps.reference, steps.acknowledge, steps.acknowledgements, steps.step,
):  # fmt: skip
    report.command()(command)
report.command("follow-up")(steps.follow_up)
report.command("look-into")(steps.look_into)
