"""``htg117 e2b``: E2B(R3) messages and acknowledgements checked and read, without a running service."""

from __future__ import annotations

import base64
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.exits import Exit
from service.domain.errors import ContentFault, Malformed
from service.domain.issues import Issue, Severity, ordered

if TYPE_CHECKING:
    from service.yellow_card.e2b.batch import Batch
    from service.yellow_card.e2b.elements import Guide

e2b = typer.Typer(no_args_is_help=True, help="E2B(R3) messages about medicines: checked, read, answers read.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a file.")]


@e2b.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Messages, MCCI_IN200100UV01 in XML.")],
    xsd: Annotated[
        Path | None,
        typer.Option(help="The folder of ICH's schemas; without it, the site file's (HTG117_SITE), if any."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check messages by the rules of ICH and MHRA, and by ICH's schemas where their folder is known.

    One line a finding: file:line: severity: place: what is wrong; the remedy [element]. What no element of
    E2B(R3) accounts for, such as a regional extension, is listed as information.

    Exit codes: 0 no error, 1 errors found, 2 a file could not be read.
    """
    from service.adapters.e2b import LOCAL
    from service.adapters.xsd import Schemas
    from service.yellow_card.e2b.reader import read as read_batch
    from service.yellow_card.e2b.rules import check as check_batch

    guide = _guide()
    try:
        folder = xsd or _site_schemas()
        schemas = Schemas(folder) if folder is not None else None
    except (ContentFault, OSError) as fault:
        print(f"schemas: {fault}", file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None
    unread = failed = False
    for path in files:
        body = _body(path)
        if body is None:
            unread = True
            continue
        try:
            batch = read_batch(body, guide)
            issues = (*check_batch(batch, guide, datetime.now(LOCAL)), *_foreign(batch))
        except Malformed as fault:
            issues = fault.issues
        else:
            issues += schemas.check(body) if schemas is not None else ()
        failed |= any(issue.fails for issue in issues)
        _print_findings(path, ordered(issues), as_json=as_json)
    raise typer.Exit(Exit.USAGE if unread else Exit.FAULTS if failed else Exit.DONE)


@e2b.command("read")
def read_message(
    file: Annotated[Path, typer.Argument(help="A message, MCCI_IN200100UV01 in XML.")],
) -> None:
    """The elements of a message as JSON: header, cases, and what no element accounts for.

    A null flavour is {"nullFlavor": …}, an enclosed file {"mediaType": …, "data": base64}.
    Exit codes: 0 done, 2 the file is no message that can be read.
    """
    from service.yellow_card.e2b.reader import read

    batch = _or_exit(file, lambda body: read(body, _guide()))
    unread = [{"path": one.path, "line": one.line, "xml": one.fragment} for one in batch.unread]
    _print({"header": _plain(batch.header), "cases": _plain(list(batch.cases)), "unread": unread})


@e2b.command()
def ack(
    file: Annotated[Path, typer.Argument(help="An acknowledgement, MCCI_IN200101UV01 in XML.")],
    message: Annotated[
        list[Path] | None,
        typer.Option(
            "--message", metavar="FILE", help="A message that was sent, to match. May be given again."
        ),
    ] = None,
) -> None:
    """What a recipient answered, as JSON: the batch, each case, and each sentence beside its element.

    With --message it is matched with what was sent: each message accepted, refused or not told, and what
    belongs to nothing that was sent is flagged.

    Exit codes: 0 all accepted, 1 something refused, not told or flagged, 2 a file could not be read.
    """
    from dataclasses import asdict

    from service.yellow_card.e2b.acknowledgement import Sent, match, read_acknowledgement
    from service.yellow_card.e2b.reader import read

    guide = _guide()
    found = _or_exit(file, lambda body: read_acknowledgement(body, guide))
    told: dict[str, Any] = {"acknowledgement": asdict(found)}
    well = found.code == "AA" and all(case.accepted for case in found.cases)
    if message:
        batches = [_or_exit(path, lambda body: read(body, guide)) for path in message]
        sent = [
            Sent(str(one.header.get("N.1.2", "")), tuple(str(case.get("N.2.r.1", "")) for case in one.cases))
            for one in batches
        ]
        matched = match(found, sent)
        told |= {"known": matched.known, "outcomes": [asdict(one) for one in matched.outcomes]}
        well = not matched.flagged and all(one.accepted for one in matched.outcomes)
    _print(told)
    raise typer.Exit(Exit.DONE if well else Exit.FAULTS)


def _guide() -> Guide:
    from service.adapters import content
    from service.fhir.json_text import decode
    from service.yellow_card.e2b.elements import read_guide
    from service.yellow_card.e2b.rendering import TABLE

    mappings = content.packaged()[1]
    return read_guide(decode((mappings.parent / TABLE).read_bytes()).resource)


def _site_schemas() -> Path | None:
    import os
    from pathlib import Path

    from service.adapters.site import read_site

    site = os.environ.get("HTG117_SITE")
    return read_site(Path(site))[0].xsd if site else None


def _body(path: Path) -> bytes | None:
    """The file's bytes, or None; one that is too large is not read further than it has to be."""
    from service.yellow_card.e2b.xml_reading import XmlLimits

    try:
        with path.open("rb") as file:
            return file.read(XmlLimits().size + 1)
    except OSError as fault:
        print(f"{path}: {fault.strerror or fault}", file=sys.stderr)
        return None


def _or_exit(path: Path, reading: Any) -> Any:
    body = _body(path)
    if body is None:
        raise typer.Exit(Exit.USAGE)
    try:
        return reading(body)
    except Malformed as fault:
        for issue in fault.issues:
            print(f"{path}: {issue}", file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None


def _foreign(batch: Batch) -> tuple[Issue, ...]:
    return tuple(
        Issue(
            Severity.INFORMATION,
            "informational",
            "is no element of E2B(R3) and is not checked",
            one.path,
            "unread",
            one.line,
            1,
        )
        for one in batch.unread
    )


def _print_findings(path: Path, issues: tuple[Issue, ...], *, as_json: bool) -> None:
    if as_json:
        found = [
            {
                "severity": issue.severity.value,
                "element": issue.key,
                "place": issue.expression,
                "line": issue.line,
                "message": issue.message,
            }
            for issue in issues
        ]
        _print(
            {"file": str(path), "ok": not any(issue.fails for issue in issues), "findings": found},
            indent=None,
        )
        return
    for issue in issues:
        place = path if issue.line is None else f"{path}:{issue.line}"
        print(f"{place}: {issue.severity.value}: {issue} [{issue.key or issue.code}]")
    errors = sum(issue.fails for issue in issues)
    print(f"{path}: {errors} error{'' if errors == 1 else 's'}")


def _print(value: object, indent: int | None = 2) -> None:
    import json

    print(json.dumps(value, indent=indent, ensure_ascii=False))


def _plain(value: Any) -> Any:
    """Elements as JSON has them."""
    from service.yellow_card.e2b.values import Attachment, Null

    if isinstance(value, dict):
        return {number: _plain(one) for number, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Null):
        return {"nullFlavor": value.flavour}
    if isinstance(value, Attachment):
        data = base64.b64encode(value.content).decode()
        return {"mediaType": value.media_type, "compression": value.compression, "data": data}
    # As text: JSON's numbers would lose how precisely it was given.
    return str(value) if isinstance(value, Decimal) else value
