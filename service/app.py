"""The service put together: settings, content, records and the web, and the world handed in.

Here and above it, and nowhere below, the clock and the random source are read.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI
from sqlalchemy.engine import make_url
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from service import outgoing
from service.adapters import content as published
from service.adapters import records, verdicts
from service.adapters.absent import NoOutbox, NoRecords
from service.adapters.clerk.inside import Inside
from service.adapters.clerk.outside import Outside
from service.adapters.content_checks import require_sound
from service.adapters.deliveries import running
from service.adapters.e2b import open_tools
from service.adapters.journal import Journal
from service.adapters.lookout import Lookout
from service.adapters.outbox_metrics import OutboxMetrics
from service.cds.faces import ICON
from service.domain.errors import ServiceError, Unavailable
from service.domain.site import Site
from service.fhir.json_text import Document, Limits
from service.operations.act import Actor
from service.operations.advise import KEPT, Advisor, Kept, advise
from service.operations.advise.recorded import STORE
from service.operations.assess import Plans
from service.operations.report.following import follow_form
from service.operations.report.opening import open_desk as open_reports
from service.operations.report.renderings import make_renderers
from service.operations.submit import Sent, submit
from service.operations.terms import Terms
from service.operations.write_back import WriteBacks, writes
from service.web import errors, fhir, health, pages
from service.web.hooks import routes as hooks
from service.web.hooks.cors import Origins
from service.web.hooks.desk import Desk
from service.web.hooks.limits import Buckets, Used
from service.web.icon import FAVICON, icon
from service.web.operations.registry import OPERATIONS
from service.web.reports import routes as reports
from service.web.reports.metrics import ReportMetrics
from service.web.security import Gate
from service.web.services import Services
from service.web.tracing import Metrics, Tracing
from service.yellow_card.e2b.rendering import KIND as E2B
from service.yellow_card.e2b.rendering import batches as e2b_batches
from service.yellow_card.e2b.rendering import renderer as e2b_renderer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from concurrent.futures import Executor
    from typing import TextIO

    from starlette.routing import Route

    from service.adapters.clerk import Clerk
    from service.adapters.content import Folder
    from service.adapters.records import Store
    from service.operations.advise import Advice
    from service.operations.clients import CdsGuard, Client, Ehrs
    from service.operations.outbox import Outbox
    from service.operations.ports import Content, Records
    from service.operations.report.desk import Desk as Reports
    from service.operations.submit import WriteBack
    from service.settings import Settings
    from service.web.hooks.desk import Question
    from service.web.security import Guard

THREADS = 8
LEAST_SECONDS = 0.1
"""So long the records may take to say what is kept of a patient, whatever the settings leave."""

_VARIANT = {digit: "89ab"[at % 4] for at, digit in enumerate("0123456789abcdef")}
"""The digit in which RFC 9562 gives the two highest bits."""


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def new_id() -> str:
    """A UUID of the time and 74 random bits (RFC 9562, version 7).

    What was made together stands together in the records' indexes: at random places each record of a call
    costs the database pages of its own. Without the arithmetic of ``uuid``, for an answer has several.
    """
    at, drawn = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
    return f"{at[:8]}-{at[8:]}-7{drawn[:3]}-{_VARIANT[drawn[3]]}{drawn[4:7]}-{drawn[7:19]}"


def version() -> str:
    """The release's version."""
    return importlib.metadata.version("htg117")


def open_records(settings: Settings) -> Store:
    """The records of the settings; the folder of an SQLite file is made if it is not there."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    return records.connect(settings.database_url)


def log_to(stream: TextIO, level: str) -> None:
    """Nothing; from now on every log line is one JSON object on the stream."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )


def compose(
    settings: Settings, content: Content, records: Records, threads: Executor, outbox: Outbox
) -> Services:
    """Everything that handlers and commands work with."""
    plans = Plans(content)
    terminology = content.terminology
    terms = Terms(terminology)
    clients = _clients(settings)
    return Services(
        clients=clients,
        write_back=_write_back(clients),
        content=content,
        records=records,
        outbox=outbox,
        terminology=terminology,
        terms=terms,
        clock=now,
        new_id=new_id,
        threads=threads,
        version=version(),
        plans=plans,
        act=Actor(content, plans, terms),
        operations=OPERATIONS,
        limits=Limits(settings.max_body, settings.max_depth),
        body_seconds=settings.body_seconds,
        base_url=settings.base_url,
        guard=_guard(settings),
        reports=_reports(settings, content, records, terms, outbox),
    )


def _reports(settings: Settings, content: Content, records: Records, terms: Terms, outbox: Outbox) -> Reports:
    """What verbs on safety reports work with. Without a site file nobody is named and nothing is sent."""
    site, gateway = Site(), None
    if settings.site:
        from service.adapters.site import read_site

        site, way = read_site(Path(settings.site))
        gateway = E2B if way.kind != "none" else None
    made = make_renderers(content, now)
    tools = open_tools(content, site, now)
    if tools is not None:
        made[E2B] = e2b_renderer(tools)
    return open_reports(
        records,
        content,
        terms,
        clock=now,
        new_id=new_id,
        site=site,
        renderers=made,
        gateway=gateway,
        outbox=outbox,
        batches=e2b_batches(tools) if tools is not None else None,
        guide=tools.guide if tools is not None else None,
    )


def _guard(settings: Settings) -> Guard | None:
    """Who judges tokens: by the issuers' keys, by asking, or whichever a token is for."""
    if settings.development:
        return None
    from service.adapters.introspection import Either, Introspection  # their libraries are slow to import
    from service.adapters.tokens import Tokens

    tokens = Tokens(settings.issuers, settings.audience, time.time)
    if not settings.introspection:
        return tokens
    secret = Path(settings.introspection_secret).read_text(encoding="utf-8").strip()
    asking = Introspection(
        settings.introspection, settings.introspection_client, secret, settings.audience, time.time
    )
    return Either(tokens, asking)


def open_desk(settings: Settings, held: Services, metrics: Metrics, clerk: Clerk) -> Desk:
    """What CDS Hooks works with: the services that the plans give, who may call them, where calls go."""
    from service.adapters.ehr import Ehrs  # its HTTP client is slow to import
    from service.adapters.ehr.retries import Retries

    ehrs = Ehrs(
        clock=held.clock, monotonic=time.monotonic, new_id=held.new_id, retries=Retries(chance=random.random)
    )
    for client in held.clients or (None,):
        ehrs.of(client)  # what TLS trusts is read now, not within a call's deadline
    advisor = Advisor(held.content, held.plans, held.terms, held.records)
    journal = Journal(clerk, held.clock, failed=metrics.audit_failures.inc, lost=metrics.audit_lost.inc)
    metrics.audit_waiting.set_function(lambda: journal.waiting)
    lookout = Lookout(clerk, KEPT)
    left = (settings.hook_milliseconds - settings.ehr_milliseconds) / 1000
    return Desk(
        services=advisor.services,
        discovery=advisor.discovery,
        advise=_adviser(advisor, ehrs, held, lookout, left),
        ehrs=ehrs,
        journal=journal,
        used=Used(time.time),
        buckets=Buckets(settings.rate_limit, time.monotonic),
        guard=_cds_guard(settings, held.clients),
        opening=clerk.open,
        ending=clerk.close,
        ehr_seconds=settings.ehr_milliseconds / 1000,
        seconds=settings.hook_milliseconds / 1000,
    )


def _clerk(settings: Settings, store: Store, *, handed_in: bool) -> Clerk:
    """Who records calls. What was handed in is open here, perhaps here alone."""
    threads = Inside(store)
    if handed_in or settings.hook_records == "threads":
        return threads
    return Outside(settings.database_url, threads)


def _adviser(
    advisor: Advisor, ehrs: Ehrs, held: Services, lookout: Lookout, seconds: float
) -> Callable[[Question], Awaitable[Advice]]:
    """How calls are answered: pure work on the event loop, the records in a thread, the EHR awaited.

    Records that do not answer in so many seconds are said not to, and the call goes on without them.
    """
    seconds = max(seconds, LEAST_SECONDS)

    async def read_kept(work: Callable[..., Kept], *given: Any) -> Kept:
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        try:
            if not await lookout.holds(advisor.names(*given), seconds):
                return Kept()
            return await asyncio.wait_for(held.run(work, *given), end - clock())
        except (TimeoutError, Unavailable):
            return Kept(fault=STORE)

    def answer(asked: Question) -> Awaitable[Advice]:
        return advise(
            advisor, ehrs, read_kept, asked.call, asked.service, asked.client, asked.showing, asked.seconds
        )

    return answer


def _cds_guard(settings: Settings, clients: tuple[Client, ...]) -> CdsGuard | None:
    """Who judges CDS clients' tokens; without a file of clients nobody gets in, but in development mode."""
    if not clients and settings.development:
        return None
    from service.adapters.cds_clients import CdsClients, Unconfigured

    if not clients:
        return Unconfigured()
    return CdsClients(clients, time.time, patience=settings.ehr_milliseconds / 1000)


def _clients(settings: Settings) -> tuple[Client, ...]:
    """The EHRs of the file of clients."""
    if not settings.clients:
        return ()
    from service.adapters.client_file import read_clients  # its libraries are slow to import

    return read_clients(Path(settings.clients))


def _write_back(clients: tuple[Client, ...]) -> WriteBack | None:
    """What makes messages of submitted forms, where there is an EHR that takes them."""
    return WriteBacks(clients) if any(writes(client) for client in clients) else None


def require_sound_once(content: Folder, settings: Settings) -> None:
    """Nothing, where the content is sound; else ContentFault. The same bytes are judged once."""
    folder = Path(settings.cache).expanduser()
    name = verdicts.digest(content)
    if content.faults or not verdicts.known(folder, name):
        require_sound(content)
        verdicts.remember(folder, name)


def offline(settings: Settings) -> Services:
    """The same for a command that reads the published content and has no records."""
    content = published.load(settings.content_folders)
    return compose(settings, content, NoRecords(), ThreadPoolExecutor(1), NoOutbox())


def beside(settings: Settings, store: Store) -> Services:
    """The same for a command that works on the records beside the service."""
    content = published.load(settings.content_folders)
    return compose(settings, content, store, ThreadPoolExecutor(1), records.Outbox(store))


def load_examples(app: FastAPI) -> int:
    """How many synthetic example forms are submitted now. Doing it again changes nothing."""
    held: Services = app.state.services
    examples = held.content.examples("QuestionnaireResponse")
    for one in examples:
        sent = Sent(Document(one.resource, one.body.decode()), one.resource, one.body)
        submit(
            sent, held.records, held.content, held.act, now=now(), software=f"htg117 {version()}",
            reporting=partial(follow_form, held.reports),
        )  # fmt: skip
    return len(examples)


def service_routes() -> list[Route]:
    """Pages for people, and the addresses that operations watch."""
    return [
        fhir.route(path, {"GET": handler})
        for path, handler in (
            ("/", pages.first), ("/docs", pages.docs), ("/openapi.json", pages.openapi),
            ("/health", health.health), ("/ready", health.ready), ("/metrics", health.metrics),
            (ICON, icon), (FAVICON, icon),
        )
    ]  # fmt: skip


def build(settings: Settings, content: Folder | None = None, store: Store | None = None) -> FastAPI:
    """The web application. The store, if it was not handed in, is opened here and closed when it stops."""
    content = content or published.load(settings.content_folders)
    require_sound_once(content, settings)
    kept = store or open_records(settings)
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="work")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await own.opening()
        with running(*works):
            yield
        await own.close()
        if made.guard is not None:
            made.guard.close()
        if store is None:  # the server stops its application once every request is answered
            threads.shutdown(wait=True)
            kept.close()

    metrics = Metrics()
    middleware = [Middleware(Tracing, new_id=new_id, metrics=metrics)]
    if settings.cors_origins:
        middleware.append(Middleware(Origins, origins=settings.cors_origins))
    middleware.append(Middleware(errors.LastResort))
    made = compose(settings, content, kept, threads, records.Outbox(kept))
    own = open_desk(settings, made, metrics, _clerk(settings, kept, handed_in=store is not None))
    if made.guard is not None:
        middleware.append(Middleware(Gate, guard=made.guard, published=content.types()))
    app = FastAPI(
        title="HTG117 as computable FHIR R4",
        version=made.version,
        openapi_url=None,  # the description is made from the operations' own declarations (web/openapi.py)
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would send token and patient again, to whatever host was named
        routes=[*hooks.routes(), *fhir.routes(), *reports.routes(), *service_routes()],
        middleware=middleware,
        exception_handlers={HTTPException: errors.of_framework, ServiceError: errors.of_ours},
        lifespan=lifespan,
    )
    app.state.services = made
    app.state.desk = own
    app.state.metrics = metrics
    seen = OutboxMetrics(made.outbox, now, metrics.registry)
    ReportMetrics(kept, now, metrics.registry)
    works = outgoing.open_works(settings, made, random.random, time.monotonic, seen.count)
    return app
