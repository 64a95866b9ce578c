"""The command line: ``htg117``. One module a group of commands; imports are late, so that help is quick."""

from __future__ import annotations

import typer

from service.cli.e2b import e2b
from service.cli.evaluate import apply, assess, extract, populate
from service.cli.feedback import feedback
from service.cli.keeping import backup, erase, restore
from service.cli.outbox import deliver, outbox
from service.cli.publishing import check, explain, package
from service.cli.report import report
from service.cli.serve import serve
from service.cli.validate import validate

app = typer.Typer(
    name="htg117",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="NICE guidance HTG117 as computable FHIR R4.\n\n"
    "Forms go in, one JSON resource a file or one a line (NDJSON); what HTG117 says of them comes out. "
    "It restates criteria and decides nothing.\n\n"
    "Exit codes: **0** all done, **1** done with faults found, **2** could not be done.",
)
for command in (
    serve, assess, extract, populate, apply, validate, explain, package, check, backup, restore, erase,
    feedback, deliver,
):  # fmt: skip
    app.command()(command)
app.add_typer(outbox, name="outbox")
app.add_typer(report, name="report")
app.add_typer(e2b, name="e2b")


def main() -> None:
    """Runs the command line."""
    app()
