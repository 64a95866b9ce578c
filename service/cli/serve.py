"""``htg117 serve``: the service itself."""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import Annotated

import typer

from service import settings as environment
from service.cli.exits import Exit
from service.cli.keeping import said_of_database
from service.domain.errors import ServiceError, Unavailable

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter while the event loop waits for it. At Python's own 5 ms the
answers of CDS Hooks wait for the threads that write records."""

COLLECT_AFTER = (10_000, 20, 50)
"""Objects made and not yet gone before the youngest are looked through for garbage, and rounds for the rest:
a call makes hundreds that all go by themselves when it is answered."""


def serve(
    host: Annotated[str | None, typer.Option(help="Listen here instead of HTG117_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen here instead of HTG117_PORT.")] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Submit the synthetic example forms first.")
    ] = False,
) -> None:
    """Serve the FHIR interface, the first page and the API documentation until stopped.

    Every setting comes from an HTG117_ variable; README.md lists them all. On a loopback address without
    HTG117_ISSUERS or HTG117_INTROSPECTION the service runs in development mode: no token is asked for, but
    of the clients of CDS Hooks once HTG117_CLIENTS is set. On any other address it then refuses to start.
    SIGTERM lets running requests finish (HTG117_SHUTDOWN_SECONDS).
    """
    chosen = dict(os.environ)
    chosen |= {
        name: str(value)
        for name, value in (("HTG117_HOST", host), ("HTG117_PORT", port))
        if value is not None
    }
    try:
        settings = environment.read(chosen)
    except environment.SettingsFault as fault:
        print(fault, file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None

    import uvicorn

    from service import app as application

    application.log_to(sys.stderr, settings.log_level)
    if said := said_of_tokens(settings):
        print(said, file=sys.stderr)
    try:
        built = application.build(settings)
        if example:
            loaded = application.load_examples(built)
            print(f"{loaded} example forms are submitted: /fhir/QuestionnaireResponse", file=sys.stderr)
    except ServiceError as fault:
        for issue in fault.issues:
            print(issue, file=sys.stderr)
        if isinstance(fault, Unavailable):
            print(said_of_database(settings.database_url), file=sys.stderr)
        raise typer.Exit(Exit.FAULTS) from None
    logging.getLogger("uvicorn.error").setLevel(settings.log_level.upper())
    print(f"http://{settings.host}:{settings.port}/", file=sys.stderr)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.set_threshold(*COLLECT_AFTER)
    gc.freeze()  # what is published stays: looking through it for garbage would halt answers for 0.2 s
    uvicorn.run(
        built,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level=settings.log_level,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def said_of_tokens(settings: environment.Settings) -> str:
    """What is said at the start of a service that does not ask everybody for a token; else empty."""
    if not settings.development:
        return ""
    if settings.clients:
        return (
            "development mode: only this machine is served; no tokens are asked for, but of the clients of "
            "CDS Hooks (HTG117_CLIENTS)"
        )
    return "development mode: no tokens are asked for, and only this machine is served"
