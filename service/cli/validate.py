"""``htg117 validate``: files checked as the service checks them, with line and column."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Any

import typer

from service.cli.exits import Exit
from service.cli.held import LIMITS, Held, NotBrought
from service.domain.errors import Malformed
from service.domain.issues import Issue, Severity, ordered


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what was found in it; ``read`` is False where it could not be read at all."""

    file: str
    issues: tuple[Issue, ...]
    read: bool = True

    @property
    def ok(self) -> bool:
        """Whether it was read and nothing in it is an error."""
        return self.read and not any(issue.fails for issue in self.issues)


def validate(
    files: Annotated[
        list[Path], typer.Argument(help="FHIR R4 resources, JSON or XML; a folder stands for all in it.")
    ],
    brought: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            metavar="FILE",
            help="What the files rest on: Questionnaires, profiles, value sets, Bundles of these, "
            "a folder, or a FHIR package (.tgz). May be given again.",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object a file: file, ok, outcome (OperationOutcome)."),
    ] = False,
) -> None:
    """Check FHIR R4 resources: structure, invariants, profiles, Questionnaires, and responses against theirs.

    One line an issue: file:line:column: severity: place: message [rule]. A response whose Questionnaire is
    neither brought nor part of this release is checked as a resource only, and a warning says so.

    Exit codes: 0 no error, 1 errors found, 2 a file could not be read.
    """
    held = Held()
    try:
        for path in brought or ():
            held.bring(path)
    except NotBrought as fault:
        print(f"--with {fault}", file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None
    results = [check_file(path, held) for given in files for path in _expanded(given)]
    for result in results:
        print(_as_json(result) if as_json else _as_text(result), end="")
    if not as_json:
        print(_summary(results))
    if not all(result.read for result in results):
        raise typer.Exit(Exit.USAGE)
    if not all(result.ok for result in results):
        raise typer.Exit(Exit.FAULTS)


def check_file(path: Path, held: Held) -> Checked:
    """What is wrong with one file, each issue with its line and column."""
    from service.fhir import validation
    from service.fhir.json_text import decode

    try:
        body = path.read_bytes()
    except OSError as fault:
        said = Issue(
            Severity.FATAL, "not-found", f"the file cannot be read: {fault.strerror or fault}", key="file"
        )
        return Checked(str(path), (said,), read=False)
    try:
        if path.suffix == ".xml" or body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            from service.fhir.xml_text import decode_xml

            document: Any = decode_xml(body, LIMITS)
        else:
            document = decode(body, LIMITS)
    except Malformed as fault:
        return Checked(str(path), fault.issues)
    try:
        found = validation.check(document.resource, resolve=held.resolve)
    except NotBrought as fault:
        said = Issue(
            Severity.FATAL, "not-found", f"what the file rests on cannot be read: {fault}", key="with"
        )
        return Checked(str(path), (said,), read=False)
    return Checked(str(path), ordered(document.placed(found)))


def _expanded(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(inner for inner in path.rglob("*") if inner.suffix in (".json", ".xml") and inner.is_file())


def _as_json(result: Checked) -> str:
    from service.domain.issues import information
    from service.fhir.json_text import encode
    from service.web.errors import outcome

    issues = result.issues or (information("informational", "All OK: no issue was found"),)
    return encode({"file": result.file, "ok": result.ok, "outcome": outcome(issues)}).decode() + "\n"


def _as_text(result: Checked) -> str:
    lines = []
    for issue in result.issues:
        place = result.file if issue.line is None else f"{result.file}:{issue.line}:{issue.column}"
        key = f" [{issue.key}]" if issue.key else ""
        lines.append(f"{place}: {issue.severity.value}: {issue}{key}\n")
    return "".join(lines)


def _summary(results: list[Checked]) -> str:
    counted = Counter(issue.severity for result in results for issue in result.issues)
    told = [
        f"{count} {name}{'' if count == 1 else 's'}"
        for name, count in (
            ("error", counted[Severity.ERROR] + counted[Severity.FATAL]),
            ("warning", counted[Severity.WARNING]),
        )
    ]
    files = f"{len(results)} file{'' if len(results) == 1 else 's'}"
    return f"{files} checked: {', '.join(told)}"
