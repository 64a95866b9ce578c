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

outbox = Table(
    "outbox",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(200), nullable=False),
    Column("channel", String(200), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("media_type", String(200), nullable=False),
    Column("details", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("fate", String(9), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("queued", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("reason", Text),
    Column("reference", Text),
    Index("outbox_by_id", "id", unique=True),
    Index("outbox_by_due", "fate", "due", "number"),
    Index("outbox_by_subject", "channel", "subject", "number"),
    Index("outbox_about", "subject", "number"),
)
"""What is to be delivered and what became of it (``outbox.py``). ``number`` is the order of putting in.

``due``: before it the message is nobody's to take; a claim moves it to the lease's end. ``attempts`` counts
claims and never goes back: it tells a claim from an older one. ``tries`` and ``queued`` count and date from
the last time that a person let it be tried anew. ``details`` is JSON, ``digest`` the body's SHA-256; the body
itself goes once the message is delivered or dropped.
"""

once = Table(
    "once",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("expires", BigInteger, nullable=False),
    Index("once_by_expiry", "expires"),
)
"""What may happen once until it expires. ``digest`` is the SHA-256 of scope and key; ``scope`` may be cut."""

REVISION = "0002"
"""The migration that these tables are the outcome of."""
