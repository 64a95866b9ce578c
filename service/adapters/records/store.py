"""The records' database, opened; the port ``Records`` fulfilled."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine, event, func, select, tuple_
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from service.adapters.records import changes, extras, plain, selection, tables
from service.adapters.records.group_commit import GroupCommit, unavailable
from service.adapters.records.plain import driven
from service.adapters.records.tables import record, version
from service.domain.errors import PreconditionFailed, Unavailable
from service.operations.ports import Page, Version
from service.operations.searching.dates import microseconds, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from service.operations.ports import Message, Once, Write
    from service.operations.searching.query import Query

_PURGE_EVERY = 200
"""Expired marks are taken out at every so many transactions that set one."""

_SQLITE = {"check_same_thread": False, "timeout": 10, "cached_statements": 300}
"""Each of the hot statements is kept prepared in as many sizes as there are (``plain.MOST_ROWS``)."""

_T = TypeVar("_T")

_READ = select(version).join(
    record,
    (record.c.type == version.c.type)
    & (record.c.id == version.c.id)
    & (record.c.version == version.c.version),
)


def connect(url: str) -> Store:
    """The store of a database URL, its tables made or brought up to date. Unavailable if it cannot be had."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine, writer = _sqlite(url, "DEFERRED"), _sqlite(url, "IMMEDIATE")
    else:
        engine = writer = create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=8, max_overflow=8, pool_pre_ping=True
        )
    try:
        _migrate(writer)
    except SQLAlchemyError as fault:
        raise unavailable(fault) from fault
    return Store(engine, writer)


def _sqlite(url: str, mode: str) -> Engine:
    engine = create_engine(url, poolclass=QueuePool, pool_size=8, connect_args=_SQLITE)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "cache_size=-8000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _migrate(engine: Engine) -> None:
    if _revision(engine) != tables.REVISION:
        from service.adapters.records.migrations import upgrade  # alembic is slow to import

        upgrade(engine)


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return None
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


@contextmanager
def answering() -> Iterator[None]:
    """Turns the database's errors into ours."""
    try:
        yield
    except SQLAlchemyError as fault:
        raise unavailable(fault) from fault


class Store:
    """Records in one database. Safe from any thread; ``close`` when done."""

    def __init__(self, engine: Engine, writer: Engine) -> None:
        """Takes the engine to read with, and the one to write with (which may be the same)."""
        self.engine = engine
        self.writer = writer
        self.arrivals = Event()
        """Set when this process has put something into the outbox."""
        self._group = GroupCommit(writer) if writer is not engine else None
        self._marked = itertools.count()

    def close(self) -> None:
        """Nothing, once what waits is written and the connections are closed."""
        if self._group:
            self._group.close()
            self.writer.dispose()
        self.engine.dispose()

    def ping(self) -> None:
        """Nothing, where the database answers with the tables of this release."""
        with answering():
            found = _revision(self.engine)
        if found != tables.REVISION:
            raise Unavailable(f"the records' tables are at {found}, this release needs {tables.REVISION}")

    def read(self, type_: str, id_: str) -> Version | None:
        """The current version, or None."""
        return self._one(_READ.where(version.c.type == type_, version.c.id == id_))

    def version(self, type_: str, id_: str, version_: int) -> Version | None:
        """One version, or None."""
        wanted = (version.c.type == type_, version.c.id == id_, version.c.version == version_)
        return self._one(select(version).where(*wanted))

    def _one(self, statement: Any) -> Version | None:
        with answering(), self.engine.connect() as connection:
            row = connection.execute(statement).first()
        return _version(row) if row is not None else None

    def history(
        self, type_: str, id_: str | None, *, count: int, cursor: str | None, since: datetime | None
    ) -> Page:
        """Versions of one record or of a whole type, newest first."""
        wanted = [version.c.type == type_]
        if id_ is not None:
            wanted.append(version.c.id == id_)
        if since is not None:
            wanted.append(version.c.updated >= microseconds(since))
        order = (version.c.updated, version.c.version, version.c.id)
        statement = select(version).where(*wanted).order_by(*(column.desc() for column in order))
        if cursor is not None:
            statement = statement.where(tuple_(*order) < tuple_(*selection.read_cursor(cursor, 3)))
        with answering(), self.engine.connect() as connection:
            total = connection.execute(select(func.count()).select_from(version).where(*wanted)).scalar_one()
            rows = connection.execute(statement.limit(count + 1)).all() if count else []
        last = rows[count - 1] if len(rows) > count else None
        following = selection.cursor((last.updated, last.version, last.id)) if last is not None else None
        return Page(tuple(_version(row) for row in rows[:count]), total, following)

    def search(self, query: Query) -> Page:
        """The current records that match."""
        chosen = selection.select_records(query)
        with answering(), self.engine.connect() as connection:
            rows = connection.execute(chosen.page, chosen.given).all() if query.count else []
            whole = query.count and query.cursor is None and len(rows) <= query.count
            total = len(rows) if whole else connection.execute(chosen.count, chosen.given).scalar_one()
        last = rows[query.count - 1] if len(rows) > query.count else None
        following = selection.cursor(tuple(last[-chosen.keys :])) if last is not None else None
        return Page(tuple(_version(row) for row in rows[: query.count]), total, following)

    def subjects(self, types: Sequence[str], names: frozenset[str]) -> frozenset[str]:
        """Those of the names that the subject of some current record of the types goes by.

        It asks the driver itself: every call of a hook comes by here.
        """
        found: set[str] = set()
        asked = sorted(names)
        with driven(self.engine) as cursor:
            for at in range(0, len(asked), plain.MOST_ROWS):
                some = asked[at : at + plain.MOST_ROWS]
                text = plain.subjects(self.engine.dialect, len(types), len(some))
                cursor.execute(text, (*types, *some))
                found.update(name for (name,) in cursor.fetchall())
        return frozenset(found)

    def commit(
        self,
        writes: Sequence[Write],
        now: datetime,
        messages: Sequence[Message] = (),
        once: Sequence[Once] = (),
    ) -> tuple[Version, ...]:
        """The versions made, the messages put and the marks set: all or none.

        PreconditionFailed if another version stands than was expected; Repeated if a mark still holds.
        """
        values = changes.search_values(writes)

        def work(connection: Connection, at: int) -> tuple[Version, ...]:
            if once:
                extras.happen(connection, once, at)
                if next(self._marked) % _PURGE_EVERY == 0:
                    extras.purge(connection, at)
            made = changes.make(connection, writes, values, at)
            extras.put(connection, messages, at)
            return made

        made = self.transact(work, now)
        if messages:
            self.arrivals.set()
        return made

    def transact(self, work: Callable[[Connection, int], _T], now: datetime) -> _T:
        """What the work returned, once what it wrote is on disk; if it raises, nothing of it is."""
        at = microseconds(now)
        if self._group:
            return self._group.run(work, at)
        try:
            with self.writer.begin() as connection:
                return work(connection, at)
        except IntegrityError as fault:
            raise PreconditionFailed("another request made the same record first; send again") from fault
        except SQLAlchemyError as fault:
            raise unavailable(fault) from fault


def _version(row: Row[Any]) -> Version:
    return Version(row.type, row.id, row.version, moment(row.updated), row.method, bytes(row.body))
