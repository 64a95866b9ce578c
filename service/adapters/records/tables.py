"""The tables. ``migrations/`` makes them; a test proves that both say the same.

Times are microseconds since 1970 (``operations/searching/dates.py``).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

record = Table(
    "record",
    metadata,
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("method", String(6), nullable=False),
    Index("record_by_time", "type", "updated", "id"),
)
"""The current version of each record. A deleted one stays, with the method DELETE."""

version = Table(
    "version",
    metadata,
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("updated", BigInteger, nullable=False),
    Column("method", String(6), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("version_by_time", "type", "updated"),
)
"""Every version, with its bytes as received or made. Nothing here is ever changed."""

value = Table(
    "search_value",
    metadata,
    Column("type", String(64), nullable=False),
    Column("id", String(64), nullable=False),
    Column("parameter", String(64), nullable=False),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Index("search_value_of_record", "type", "id", "parameter"),
    Index("search_value_by_value", "type", "parameter", "value"),
    Index("search_value_by_time", "type", "parameter", "low"),
)
"""What current records say to their search parameters (``operations/searching/values.py``)."""

REVISION = "0001"
"""The migration that these tables are the outcome of."""
