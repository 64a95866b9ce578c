"""Statements as the driver takes them, their text made once: for what every call of a hook does.

SQLAlchemy works on each statement's parameters one by one; these go to the driver as they are. The columns
are text, whole numbers and bytes, which both drivers take.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from service.adapters.records.group_commit import unavailable
from service.adapters.records.tables import once, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Dialect, Engine, Table

COUNTED = {"preserve_rowcount": True}
"""Without it SQLAlchemy does not say how many rows an INSERT made."""


def mark(dialect: Dialect) -> str:
    """What stands for a parameter in the dialect's statements."""
    return "?" if dialect.paramstyle == "qmark" else "%s"


@cache
def insertion(table: Table, dialect: Dialect, rest: str = "") -> str:
    """The INSERT of one row, its values in the order of the table's columns; ``rest`` follows it."""
    names = ", ".join(column.name for column in table.columns)
    marks = ", ".join(mark(dialect) for _ in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({marks}){rest}"  # noqa: S608 - no value is in it


@cache
def happening(dialect: Dialect) -> str:
    """The statement that sets a mark (scope, digest, expiry), unless it is set and holds at the fourth."""
    renewed = " ON CONFLICT (scope, digest) DO UPDATE SET expires = excluded.expires"
    return insertion(once, dialect, f"{renewed} WHERE {once.name}.expires <= {mark(dialect)}")


@cache
def held(dialect: Dialect, values: int) -> str:
    """The query for one search value of a type and parameter that is one of so many values."""
    one = mark(dialect)
    marks = ", ".join([one] * values)
    wanted = f"type = {one} AND parameter = {one} AND value IN ({marks})"
    return f"SELECT 1 FROM {value.name} WHERE {wanted} LIMIT 1"  # noqa: S608 - no value is in it


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
