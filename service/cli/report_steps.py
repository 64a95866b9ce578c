"""``report``: what a person does with a report, one function a command."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from service.cli.exits import Exit
from service.cli.report_text import (
    NOBODY,
    By,
    CaseId,
    Json,
    Reason,
    as_json,
    as_line,
    opened,
    read_value,
    refuse,
    summed,
    tell,
    tell_drafted,
)


def draft(
    event: Annotated[str, typer.Argument(help="AdverseEvent/[id], as it is kept here.")] = "",
    patient: Annotated[
        Path | None, typer.Option(help="A Patient (JSON), of whom age and sex are told.", exists=True)
    ] = None,
    by: By = NOBODY,
    whole: Json = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Draft those of every recorded event that has none yet.")
    ] = False,
) -> None:
    """The reports of an adverse event, drafted or brought up to what is recorded of it now."""
    from service.fhir.json_text import decode
    from service.operations.report.catching_up import draft_missing
    from service.operations.report.drafting import draft as make

    if missing:
        with opened() as held:
            for made in draft_missing(held.reports, by):
                tell_drafted(made, whole)
        return
    type_, _, id_ = event.partition("/")
    if type_ != "AdverseEvent" or not id_:
        refuse("name the event as AdverseEvent/[id]")
    with opened() as held:
        known = decode(patient.read_bytes(), held.limits).resource if patient else None
        tell_drafted(make(held.reports, id_, by, patient=known), whole)


def enter(
    case: CaseId,
    values: Annotated[
        list[str],
        typer.Argument(help="path=value, such as devices.0.model=EC-20 or reporter.email=a@example.org."),
    ],
    by: By = NOBODY,
    whole: Json = False,
) -> None:
    """Puts values on the report, each at its path; numbers, true and false are read as JSON."""
    from service.operations.report.edits import enter as put

    pairs = [one.partition("=") for one in values]
    if any(not equals for _, equals, _ in pairs):
        refuse("each value is given as path=value")
    with opened() as held:
        given = {path: read_value(path, text) for path, _, text in pairs}
        tell(put(held.reports, case, given, by), whole)


def clear(case: CaseId, path: Annotated[str, typer.Argument(help="Where the text stands, as show says.")],
          reason: Reason, by: By, whole: Json = False) -> None:  # fmt: skip
    """Keeps a person's word that a text of the report does not identify the patient."""
    from service.operations.report.edits import clear as word

    with opened() as held:
        tell(word(held.reports, case, path, by, reason), whole)


def override(
    case: CaseId,
    branch: Annotated[str, typer.Argument(help="device, medicine, defective-medicine, local or unknown.")],
    reason: Reason,
    by: By,
    as_well: Annotated[
        bool, typer.Option("--as-well", help="Take up an offered report beside this one.")
    ] = False,
    whole: Json = False,
) -> None:
    """Keeps a person's decision on where the event is reported, against the rules."""
    from service.domain.safety_report import Branch
    from service.operations.report import edits

    if branch not in tuple(Branch):
        refuse(f"'{branch}' is no branch; these are: {', '.join(Branch)}")
    with opened() as held:
        decide = edits.take_up if as_well else edits.override
        tell_drafted(decide(held.reports, case, Branch(branch), by, reason), whole)


def ready(case: CaseId, by: By = NOBODY, whole: Json = False) -> None:
    """Makes the report ready for export. What it lacks does not hold it back."""
    from service.operations.report import steps

    with opened() as held:
        tell(steps.ready(held.reports, case, by), whole)


def export(
    case: CaseId,
    to: Annotated[
        Path | None, typer.Option(help="Also write the files into this folder.", file_okay=False)
    ] = None,
    rendering: Annotated[list[str] | None, typer.Option(help="Only this one; may be given again.")] = None,
    by: By = NOBODY,
    whole: Json = False,
) -> None:
    """Makes the report's files and keeps them, byte for byte. Nothing is submitted by that."""
    from service.operations.report.exporting import export as make
    from service.operations.report.files import read_file

    with opened() as held:
        done = make(held.reports, case, by, kinds=tuple(rendering or ()))
        made = [one for one in done.case.exports if one.when == done.case.exports[-1].when]
        for one in made if to else ():
            body = read_file(held.records, one)
            try:
                to.mkdir(parents=True, exist_ok=True)  # type: ignore[union-attr]
                (to / one.file_name).write_bytes(body)  # type: ignore[operator]
            except OSError as fault:
                print(f"{to}: {fault.strerror}", file=sys.stderr)
                raise typer.Exit(Exit.USAGE) from None
            print(f"{to / one.file_name}: {len(body)} bytes", file=sys.stderr)  # type: ignore[operator]
        for kind, why in done.case.unmade:
            print(f"{kind} could not be made: {why}", file=sys.stderr)
        tell(done, whole)


def batch(
    case: Annotated[list[str], typer.Argument(help="Two or more cases that are ready.")],
    to: Annotated[Path | None, typer.Option(help="Also write the file here.", dir_okay=False)] = None,
    by: By = NOBODY,
    whole: Json = False,
) -> None:
    """Prepares several reports about medicines as one E2B(R3) message; all of them or none.

    submit of one of them gives the message to the gateway, and so the others with it.
    """
    from service.operations.report.batching import batch as make
    from service.operations.report.files import read_file

    with opened() as held:
        made = make(held.reports, case, by)
        for one in made.cases:
            print(as_json(summed(one)) if whole else as_line(one))
        if to is not None:
            to.write_bytes(read_file(held.records, made.file))
        print(f"{made.file.file_name} {made.file.digest}", file=sys.stderr)


def submit(
    case: CaseId,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="Record that the person named by --by submitted it.")
    ] = False,
    by: By = "",
    whole: Json = False,
) -> None:
    """Gives the report to the site's gateway; with --by-hand records that a person has submitted it.

    Exit 1 where no gateway takes it: it stays prepared, and a person has to submit it.
    """
    from service.domain.safety_report import State
    from service.operations.report.submitting import submit as send

    if by_hand and not by:
        refuse("--by-hand needs --by: it is that person's word")
    with opened() as held:
        done = send(held.reports, case, by or NOBODY, by_hand=by_hand)
        tell(done, whole)
    if done.case.report.state is State.PREPARED:
        raise typer.Exit(Exit.FAULTS)


def reference(
    case: CaseId,
    number: Annotated[str, typer.Argument(help="The reference that the recipient gave.")],
    by: By = NOBODY,
    whole: Json = False,
) -> None:
    """Records the reference number that came back: the report counts as acknowledged."""
    from service.operations.report import steps

    with opened() as held:
        tell(steps.enter_reference(held.reports, case, number, by), whole)


def acknowledge(
    file: Annotated[Path, typer.Argument(help="An acknowledgement (MCCI_IN200101UV01, XML).", exists=True)],
    whole: Json = False,
) -> None:
    """Keeps what a recipient answered to an E2B(R3) message on the reports that it speaks of.

    Exit 1 where something in it belongs to no report: it is kept all the same, and shown by attention.
    """
    from service.operations.report.taking import take

    with opened() as held:
        taken = take(held.reports, file.read_bytes())
        for one in taken.cases:
            print(as_json(summed(one)) if whole else as_line(one))
    if taken.stray is not None:
        print(f"kept as {taken.stray.digest}: {taken.stray.says}", file=sys.stderr)
        raise typer.Exit(Exit.FAULTS)


def acknowledgements(
    seen: Annotated[bool, typer.Option("--seen", help="Those that a person has looked into.")] = False,
    whole: Json = False,
) -> None:
    """The acknowledgements that belong to no report, the oldest first. Exit 1 where any is open."""
    from service.operations.report.strays import OPEN, SEEN, list_strays
    from service.web.reports.views import stray

    with opened() as held:
        found = list_strays(held.records, SEEN if seen else OPEN)
        for one in found:
            print(as_json(stray(one, "")) if whole else f"{one.digest}  {one.received[:10]}  {one.says}")
    if found and not seen:
        raise typer.Exit(Exit.FAULTS)


def look_into(
    digest: Annotated[
        str, typer.Argument(help="The acknowledgement's SHA-256, as acknowledgements shows it.")
    ],
    reason: Reason,
    by: By,
    to: Annotated[Path | None, typer.Option(help="Also write its bytes here.", dir_okay=False)] = None,
) -> None:
    """Keeps a person's word on an acknowledgement that could not be joined; it is shown no more."""
    from service.operations.report.strays import look_into as look
    from service.operations.report.strays import read_body

    with opened() as held:
        if to is not None:
            to.write_bytes(read_body(held.records, digest))
        print(f"{look(held.reports, digest, by, reason).digest} is looked into")


def step(
    case: CaseId,
    name: Annotated[
        str, typer.Argument(help="cancel, back, nullify, ask-follow-up, leave-follow-up or look-over.")
    ],
    reason: Reason,
    by: By = NOBODY,
    whole: Json = False,
) -> None:
    """Takes a step that needs a reason: gives it up, back to draft, says that a follow-up is due."""
    from service.web.reports.changing import REASONED, reasoned_step

    if name not in REASONED:
        refuse(f"'{name}' is no such step; these are: {', '.join(REASONED)}")
    with opened() as held:
        tell(reasoned_step(name)(held.reports, case, by, reason), whole)


def follow_up(
    case: CaseId,
    amendment: Annotated[
        str, typer.Option(help="amendment or nullification; left out, there is new information.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; needed with --amendment.")] = "",
    by: By = NOBODY,
    whole: Json = False,
) -> None:
    """Begins the next version of the case, from what is recorded now."""
    from service.operations.report import steps

    with opened() as held:
        tell(
            steps.follow_up(held.reports, case, by, amendment=amendment or None, reason=reason or None), whole
        )
