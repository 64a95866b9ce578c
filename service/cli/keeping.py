"""``backup``, ``restore`` and ``erase``: the records kept safe, and one patient's records taken out."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from datetime import datetime  # noqa: TC003 - typer reads the annotations
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.exits import Exit
from service.domain.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.adapters.records import Store

KEPT = (
    "Kept, and why:\n"
    "- of each erased record its type, id, version number and time of erasure, without any content: so that "
    "links to it are answered with 410, its id is never given to another, and erasing again finds nothing;\n"
    "- backups made before: erase from them by restoring, erasing and backing up anew;\n"
    "- reports already sent to a regulator: they are the regulator's and the sender's legal record."
)


@contextmanager
def opened_records() -> Iterator[Store]:
    """The records of the environment's settings; what goes wrong is said and ends the command."""
    from service import app
    from service import settings as environment

    try:
        settings = environment.read(os.environ)
    except environment.SettingsFault as fault:
        print(fault, file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None
    try:
        store = app.open_records(settings)
    except ServiceError as fault:
        print(fault, file=sys.stderr)
        print(said_of_database(settings.database_url), file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None
    try:
        yield store
    except ServiceError as fault:
        print(fault, file=sys.stderr)
        raise typer.Exit(Exit.FAULTS) from None
    finally:
        store.close()


def said_of_database(url: str) -> str:
    """Where records are looked for, without user, password and options: for whoever finds nothing there."""
    from urllib.parse import urlsplit

    split = urlsplit(url)
    shown = f"{split.scheme}://{split.netloc.rpartition('@')[2]}{split.path}"
    return f"HTG117_DATABASE_URL names {shown}: see that it is there, and that user and password are right"


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
) -> None:
    """Every version of every record, and the outbox, into one file, while the service may go on working.

    The file is the same for SQLite and PostgreSQL and carries a checksum; restore reads it into either.
    """
    from service.adapters.records.archive import back_up

    with opened_records() as store:
        try:
            count = back_up(store.engine, file)
        except OSError as fault:
            print(f"{file}: {fault.strerror}", file=sys.stderr)
            raise typer.Exit(Exit.USAGE) from None
        print(f"{count} versions in {file}")


def restore(file: Annotated[Path, typer.Argument(help="A file that backup wrote.", exists=True)]) -> None:
    """A backup into an empty store (HTG117_DATABASE_URL): all of it or, if it is damaged, nothing."""
    from service.adapters.records.archive import restore as read_back

    with opened_records() as store:
        print(f"{read_back(store.writer, file)} versions from {file}")


def erase(
    subject: Annotated[
        str, typer.Option(help="The patient's reference as forms carry it: Patient/1, or a URL.")
    ] = "",
    identifier: Annotated[str, typer.Option(help="The patient's identifier: system|value.")] = "",
    unchanged_since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Only records that nobody changed since this day (retention)."
        ),
    ] = None,
    confirmed: Annotated[
        bool, typer.Option("--yes", help="Erase. Without it, only say what would be.")
    ] = False,
) -> None:
    """One patient's records out of the store for good: forms, results and where they came from.

    Without --yes nothing is erased and what would be is listed. What is kept, and why, is said at the end.
    """
    if not subject and not identifier:
        print("say whose records: --subject or --identifier", file=sys.stderr)
        raise typer.Exit(Exit.USAGE)
    from service import app
    from service.adapters.records.archive import erase as take_out
    from service.operations.erasure import find_records
    from service.operations.searching.dates import LOCAL, microseconds

    since = unchanged_since.replace(tzinfo=LOCAL) if unchanged_since else None
    with opened_records() as store:
        found = find_records(store, reference=subject, identifier=identifier, unchanged_since=since)
        for one in found.erased:
            print(f"{'erased' if confirmed else 'would be erased'}: {one.reference}")
        for one in found.kept:
            print(f"kept, changed since {unchanged_since:%Y-%m-%d}: {one.reference}")
        if not found.erased and not found.kept:
            print("there are no records of this patient here", file=sys.stderr)
        if confirmed:
            count = take_out(
                store.writer,
                [(one.type, one.id) for one in found.erased],
                microseconds(app.now()),
                [subject] if subject else [],
            )
            print(f"{len(found.erased)} records in {count} versions erased")
        print(KEPT)
