"""``outbox`` and ``deliver``: what is on its way out, looked at and put right, and sent."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.exits import Exit
from service.cli.keeping import opened_records
from service.operations.outbox import Fate

if TYPE_CHECKING:
    from service.operations.outbox import Posted

outbox = typer.Typer(
    no_args_is_help=True, help="What is on its way out to a gateway or an EHR, and what got stuck."
)


@outbox.command("list")
def list_messages(
    fate: Annotated[
        list[Fate] | None, typer.Option(help="Only messages of this fate; may be given again.")
    ] = None,
    channel: Annotated[str, typer.Option(help="Only messages of this channel.")] = "",
    subject: Annotated[str, typer.Option(help="Only messages about this record: Type/id.")] = "",
    whole: Annotated[bool, typer.Option("--json", help="One JSON object a line, with everything.")] = False,
) -> None:
    """The messages in the order they were put in. Exit 1 where some were refused or given up."""
    from service.adapters.records import Outbox

    stuck = 0
    with opened_records() as store:
        held = Outbox(store)
        after: int | None = 0
        while after is not None:
            page, after = held.page(fate or (), channel=channel or None, count=500, after=after)
            for one in page:
                if subject and one.subject != subject:
                    continue
                stuck += one.fate in (Fate.REFUSED, Fate.DEAD)
                print(json.dumps(_shown(one)) if whole else _line(one))
    if stuck:
        print(f"{stuck} stuck: see each with show, then retry or drop it", file=sys.stderr)
        raise typer.Exit(Exit.FAULTS)


@outbox.command()
def show(message: Annotated[str, typer.Argument(help="The message's id.")]) -> None:
    """One message, without its body."""
    from service.adapters.records import Outbox
    from service.domain.errors import NotFound

    with opened_records() as store:
        found = Outbox(store).find(message)
        if found is None:
            raise NotFound(f"there is no message {message} in the outbox")
        print(json.dumps(_shown(found), indent=2, ensure_ascii=False))


@outbox.command()
def retry(
    message: Annotated[list[str], typer.Argument(help="Ids of messages that were refused or given up.")],
) -> None:
    """Lets messages be tried anew, under their old ids.

    A report that the gateway did not take counts as submitted again, and waits for what it says now.
    """
    from service import app
    from service import settings as environment
    from service.adapters.records import Outbox
    from service.operations.report.resending import retry as resend

    with opened_records() as store:
        held = app.beside(environment.read(os.environ), store)  # sound: the records were opened by it
        for id_ in message:
            print(_line(resend(held.reports, Outbox(store), id_, "the command line")))


@outbox.command()
def drop(
    message: Annotated[str, typer.Argument(help="The message's id.")],
    reason: Annotated[str, typer.Option(help="Why it is not to be sent; kept with the message.")],
) -> None:
    """Takes a message out of the line for good. Those behind it, about the same record, go on.

    A report that waited for the gateway is given back, prepared, to be submitted by a person or anew.
    """
    from service import app, outgoing
    from service import settings as environment

    with opened_records() as store:
        settings = environment.read(os.environ)  # sound: the records were opened by it
        print(_line(outgoing.drop(settings, app.beside(settings, store), message, reason)))


def deliver(
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is due any more.")] = False,
) -> None:
    """Delivers what is in the outbox until it is stopped (SIGTERM, Ctrl-C), and reads acknowledgements.

    `htg117 serve` does so by itself; this is for a worker beside it. Any number of workers may run.
    """
    from service import app, outgoing
    from service import settings as environment

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with opened_records() as store:
        settings = environment.read(os.environ)  # sound: the records were opened by it
        app.log_to(sys.stderr, settings.log_level)
        held = app.beside(settings, store)
        made = outgoing.deliver(settings, held, random.random, time.monotonic, stop, until_empty=once)
        print(f"{made} attempts", file=sys.stderr)


def _line(one: Posted) -> str:
    parts = (one.id, one.fate.value, one.channel, one.subject, f"{one.attempts} attempts",
             f"{one.changed:%Y-%m-%dT%H:%M:%SZ}", one.reason or "")  # fmt: skip
    return "  ".join(part for part in parts if part)


def _shown(one: Posted) -> dict[str, object]:
    moments = {name: getattr(one, name).isoformat() for name in ("created", "changed", "due")}
    return {
        "id": one.id, "fate": one.fate.value, "channel": one.channel, "subject": one.subject,
        "media_type": one.media_type, "details": dict(one.details), "sha256": one.digest,
        "attempts": one.attempts, **moments, "reason": one.reason, "reference": one.reference,
    }  # fmt: skip
