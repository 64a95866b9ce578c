"""``assess``, ``extract``, ``populate`` and ``apply``: forms in, what HTG117 says of them out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from service.cli import jobs, work
from service.cli.exits import Exit

Files = Annotated[
    list[str] | None,
    typer.Argument(help="JSON files, or NDJSON with one resource a line. None, or -, reads stdin."),
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Processes to share the work.")]
Output = Annotated[Path | None, typer.Option(help="Write here instead of stdout.")]


def assess(files: Files = None, workers: Workers = 1, output: Output = None) -> None:
    """What the criteria come to, for each completed form: one outcome Observation a line.

    Each criterion is met, not met or unknown, an unknown with its reason and each with its paragraph.
    Nothing is stored. The answers come one a line in the order of the forms; a form that is refused is
    answered by an OperationOutcome on its line, and told on stderr with its line number.

    Example: **htg117 assess forms.ndjson --workers 2 > outcomes.ndjson**
    """
    _run(work.Plan(jobs.assess, {}), files, workers, output)


def extract(files: Files = None, workers: Workers = 1, output: Output = None) -> None:
    """The resources that each completed form holds: one transaction Bundle a line (SDC $extract)."""
    options = {"name": "extract", "type": "QuestionnaireResponse"}
    _run(work.Plan(jobs.operation, options), files, workers, output)


def populate(
    form: Annotated[str, typer.Option("--form", help="The id of the published form.")],
    files: Files = None,
    workers: Workers = 1,
    output: Output = None,
) -> None:
    """The form pre-filled from each record: Bundles of one patient's data, or Parameters of $populate."""
    options = {"name": "populate", "type": "Questionnaire", "id": form}
    _run(work.Plan(jobs.operation, options), files, workers, output)


def apply(
    plan: Annotated[str, typer.Option("--plan", help="The id of the published plan; explain lists them.")],
    files: Files = None,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Answer a Bundle ($r5.apply), not a CarePlan.")
    ] = False,
    workers: Workers = 1,
    output: Output = None,
) -> None:
    """What the plan proposes for each completed form (or Parameters of $apply): one CarePlan a line."""
    options = {"name": "r5.apply" if bundle else "apply", "type": "PlanDefinition", "id": plan}
    _run(work.Plan(jobs.operation, options), files, workers, output)


def _run(plan: work.Plan, files: list[str] | None, workers: int, output: Path | None) -> None:
    named = files or []
    if sys.stdin is None and (not named or "-" in named):
        _stop("stdin is closed; name the files to read")
    if output is None:
        if sys.stdout is None:
            _stop("stdout is closed; name a file with --output")
        raise typer.Exit(work.run(plan, named, workers, sys.stdout.buffer))
    if output.exists() and any(name != "-" and _same(Path(name), output) for name in named):
        _stop(f"{output} is read from and would be written over; name another file with --output")
    try:
        with output.open("wb") as stream:
            ended = work.run(plan, named, workers, stream)
    except OSError as fault:
        _stop(f"{output}: {fault.strerror}")
    raise typer.Exit(ended)


def _same(one: Path, other: Path) -> bool:
    return one.exists() and one.samefile(other)


def _stop(said: str) -> NoReturn:
    print(said, file=sys.stderr)
    raise typer.Exit(Exit.USAGE)
