"""What the commands on safety reports share: the service's parts, options, and reports as lines of text."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from service.cli.exits import Exit
from service.cli.keeping import opened_records
from service.domain.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.operations.report.cases import Case
    from service.operations.report.changing import Done
    from service.operations.report.drafting import Drafted
    from service.operations.report.listing import Filters
    from service.web.services import Services

CaseId = Annotated[str, typer.Argument(help="The case's id, as list shows it.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept with the change.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the change.")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
States = Annotated[list[str] | None, typer.Option("--state", help="Only this state; may be given again.")]
Branches = Annotated[list[str] | None, typer.Option("--branch", help="Only this branch; may be given again.")]
Serious = Annotated[
    list[str] | None, typer.Option("--seriousness", help="Only serious, non-serious or unknown.")
]
Days = Annotated[int | None, typer.Option("--age", min=0, help="Only those made at least so many days ago.")]
NOBODY = "the command line"


@contextmanager
def opened() -> Iterator[Services]:
    """The service's parts over the records of the environment; what fails is told, and the exit code is 1."""
    from concurrent.futures import ThreadPoolExecutor

    from service import app
    from service import settings as environment
    from service.adapters import content as published
    from service.adapters.records import Outbox

    with opened_records() as store:
        settings = environment.read(os.environ)
        content = published.load(settings.content_folders)
        try:
            yield app.compose(settings, content, store, ThreadPoolExecutor(1), Outbox(store))
        except ServiceError as fault:
            print(fault, file=sys.stderr)
            for issue in fault.issues:
                if str(issue) != str(fault):
                    print(f"  {issue}", file=sys.stderr)
            raise typer.Exit(Exit.FAULTS) from None


def read_filters(
    state: list[str] | None, branch: list[str] | None, seriousness: list[str] | None, age: int | None
) -> Filters:
    """The filters of the options; ends the command where one is none."""
    from service.domain.safety_report import Branch, State
    from service.operations.report.listing import Filters
    from service.web.reports.asked import SERIOUSNESS

    for name, given, known in (
        ("--state", state, tuple(State)), ("--branch", branch, tuple(Branch)),
        ("--seriousness", seriousness, SERIOUSNESS),
    ):  # fmt: skip
        for one in given or ():
            if one not in known:
                refuse(f"{name} has no value '{one}'; it has: {', '.join(known)}")
    return Filters(tuple(state or ()), tuple(branch or ()), tuple(seriousness or ()), age)


def refuse(said: str) -> NoReturn:
    """Says what was wrongly asked, and ends the command."""
    print(said, file=sys.stderr)
    raise typer.Exit(Exit.USAGE)


def read_value(path: str, text: str) -> Any:
    """The text, or what it says as JSON where the place wants a number or a truth."""
    import json
    from decimal import Decimal

    from service.operations.report.entering import parse

    try:
        parse(path, text)
    except ServiceError:
        try:
            return json.loads(text, parse_float=Decimal)
        except ValueError:
            return text
    return text


def summed(case: Case) -> dict[str, Any]:
    """What a list shows of a case."""
    from service.web.reports.views import summary

    return summary(case, "")


def as_json(found: Any, *, indent: bool = False) -> str:
    """JSON, on one line or indented."""
    from service.fhir.json_text import encode

    text = encode(found).decode()
    if not indent:
        return text
    import json

    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def as_line(case: Case) -> str:
    """One case as a line."""
    one = summed(case)
    columns = (one["case"], f"v{one['version']}", f"{one['state']:<12}", f"{one['branch']:<18}",
               f"{one['seriousness']:<11}", one["created"][:10], one["event"])  # fmt: skip
    return "  ".join(columns)


def as_text(shown: dict[str, Any]) -> str:
    """One report as lines for a person."""
    lines = [
        f"{shown['event']}: {shown['status']}",
        shown["meaning"],
        f"case {shown['case']}, version {shown['version']}, {shown['branch']}, {shown['seriousness']}",
        f"why: {shown['decidedBy']}",
    ]
    if "submitTo" in shown:
        where = shown["submitTo"]
        lines.append(f"submit it to: {where['name']} {where.get('contact', '')}".rstrip())
    lines += [f"follow-up due: {shown['followUpDue']}"] if "followUpDue" in shown else []
    lines += [
        f"may identify the patient: {one['path']} ({one['kind']})" for one in shown.get("mayIdentify", ())
    ]
    lines += [
        f"missing ({one['need']}): {one['section']}: {one['label']}. {one['remedy']}"
        for one in shown.get("missing", ())
    ]
    lines += [f"file: {one['fileName']} {one['sha256']}" for one in shown.get("exports", ())]
    lines += [f"not made: {one['rendering']}: {one['reason']}" for one in shown.get("notMade", ())]
    lines += [f"{one['when']}  {one['state']:<12}  {one['who']}: {one['what']}" for one in shown["history"]]
    lines.append(f"next: {', '.join(shown.get('steps', ())) or 'nothing'}")
    return "\n".join(lines)


def tell(done: Done, whole: bool) -> None:
    """Prints the case after a step, and what a person is to know of it."""
    print(as_json(summed(done.case)) if whole else as_line(done.case))
    if done.says:
        print(done.says, file=sys.stderr)


def tell_drafted(made: Drafted, whole: bool) -> None:
    """Prints the event's cases, and what is offered as well."""
    for one in made.cases:
        print(as_json(summed(one)) if whole else as_line(one))
    for offer in made.reportability.offers:
        print(f"offered as well ({offer.branch}): {offer.says}", file=sys.stderr)
