"""Statements as the driver takes them, their text made once: for what every call of a hook does.

SQLAlchemy works on each statement's parameters one by one; these go to the driver as they are. The columns
are text, whole numbers and bytes, which both drivers take.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import DBAPIError

from service.adapters.records.group_commit import unavailable
from service.adapters.records.tables import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Dialect, Engine, Table

COUNTED = {"preserve_rowcount": True}
"""Without it SQLAlchemy does not say how many rows an INSERT made."""

MOST_ROWS = 64
"""So many rows a statement at most: few texts, which the drivers keep prepared."""


def mark(dialect: Dialect) -> str:
    """What stands for a parameter in the dialect's statements."""
    return "?" if dialect.paramstyle == "qmark" else "%s"


def insert(
    connection: Connection,
    table: Table,
    rows: Sequence[tuple[object, ...]],
    rest: str = "",
    *more: object,
) -> int:
    """How many rows were made. Each holds a value a column, in the table's order.

    ``rest`` follows the values, ``?`` in it stands for one of ``more``. Many rows go in one statement: the
    driver lets go of the interpreter at every statement, and waits for it after. Raises SQLAlchemy's errors.
    """
    made = 0
    dialect = connection.dialect
    cursor = connection.connection.cursor()
    try:
        for at in range(0, len(rows), MOST_ROWS):
            some = rows[at : at + MOST_ROWS]
            text = _insertion(table, dialect, len(some), rest)
            cursor.execute(text, (*chain.from_iterable(some), *more))
            made += cursor.rowcount
    except dialect.loaded_dbapi.Error as fault:
        raise _wrapped(connection, fault) from fault
    finally:
        cursor.close()
    return made


def _wrapped(connection: Connection, fault: Exception) -> DBAPIError:
    """What SQLAlchemy would have raised; a connection that is gone is not used again."""
    dialect = connection.dialect
    gone = dialect.is_disconnect(fault, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if gone:
        connection.invalidate(fault)
    made = DBAPIError.instance(
        None, None, fault, dialect.loaded_dbapi.Error, connection_invalidated=gone, dialect=dialect
    )
    return cast("DBAPIError", made)


@cache
def _insertion(table: Table, dialect: Dialect, size: int, rest: str) -> str:
    one = mark(dialect)
    names = ", ".join(column.name for column in table.columns)
    row = f"({', '.join(one for _ in table.columns)})"
    values = ", ".join([row] * size)
    return f"INSERT INTO {table.name} ({names}) VALUES {values} {rest.replace('?', one)}"  # noqa: S608 - no value is in it


@cache
def subjects(dialect: Dialect, types: int, names: int) -> str:
    """The query for those of so many names that a subject of so many types goes by."""
    one = mark(dialect)
    wanted = (
        f"type IN ({', '.join([one] * types)}) AND parameter IN ('subject', 'subject:identifier')"
        f" AND value IN ({', '.join([one] * names)})"
    )
    return f"SELECT DISTINCT value FROM {value.name} WHERE {wanted}"  # noqa: S608 - no value is in it


@contextmanager
def driven(engine: Engine) -> Iterator[Any]:
    """A cursor of the driver's own, to read with. Unavailable where the database does not answer."""
    faults = engine.dialect.loaded_dbapi.Error
    connection = None
    try:
        connection = engine.raw_connection()
        cursor = connection.cursor()
        yield cursor
        cursor.close()
    except faults as fault:
        if connection is not None:
            connection.invalidate()
        raise unavailable(fault) from fault
    finally:
        if connection is not None:
            connection.close()
