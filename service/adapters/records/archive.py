"""Backup and restore: every version of every record as lines of JSON, gzipped, independent of the database.

After the versions come the outbox's messages. The first line names the format; the last counts what stands
between and carries its SHA-256, so that a file cut short or changed is noticed. Restoring rebuilds the search
values from the resources. What may happen once is left out: it has long expired when a backup is used.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from base64 import b64decode, b64encode
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from service.adapters.records.extras import forget
from service.adapters.records.tables import outbox, record, value, version
from service.domain.errors import Conflict, Malformed
from service.fhir.json_text import STORED, decode
from service.operations.searching.values import entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine

FORMAT = {"format": "htg117 records", "version": 2}
_FORMATS = ({"format": "htg117 records", "version": 1}, FORMAT)
"""Those that can be read: version 1 knew no messages."""

_CHUNK = 500


def back_up(engine: Engine, target: Path) -> int:
    """How many versions were written. The file appears whole or not at all; the service may go on working."""
    partial = target.with_name(f"{target.name}.partial")
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin(), partial.open("wb") as file:
            with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as stream:
                count = _write(stream, connection)
            file.flush()
            os.fsync(file.fileno())
    partial.replace(target)
    return count


def _write(stream: gzip.GzipFile, connection: Connection) -> int:
    digest, counts = hashlib.sha256(), {"versions": 0, "messages": 0}
    stream.write(_line(FORMAT))
    order = (version.c.type, version.c.id, version.c.version)
    for name, table, ordered in (("versions", version, order), ("messages", outbox, (outbox.c.number,))):
        reading = connection.execution_options(stream_results=True)
        for row in reading.execute(select(table).order_by(*ordered)).yield_per(_CHUNK):
            line = _line(dict(row._mapping) | {"body": b64encode(bytes(row.body)).decode()})
            digest.update(line)
            stream.write(line)
            counts[name] += 1
    stream.write(_line({**counts, "sha256": digest.hexdigest()}))
    return counts["versions"]


def restore(engine: Engine, source: Path) -> int:
    """How many versions were read into an empty store. Malformed or Conflict, and nothing is changed."""
    with engine.begin() as connection:
        if any(connection.execute(select(one.c.id).limit(1)).first() for one in (version, outbox)):
            raise Conflict("the store holds records already; restore into an empty one")
        count = 0
        lines = _read(source)
        while chunk := list(islice(lines, _CHUNK)):
            versions = [entry for entry in chunk if "number" not in entry]
            if versions:
                connection.execute(insert(version), versions)
            for entry in chunk:
                if "number" in entry:
                    connection.execute(insert(outbox), [_message(entry)])
            count += len(versions)
        _rebuild(connection)
    return count


def _message(entry: dict[str, Any]) -> dict[str, Any]:
    """A message as it is restored: under its old id, in its old place among the others; nobody has it now."""
    made = {name: held for name, held in entry.items() if name != "number"}
    return made | ({"fate": "waiting"} if entry["fate"] == "claimed" else {})


def _read(source: Path) -> Iterator[dict[str, Any]]:
    digest, count, last = hashlib.sha256(), 0, None
    try:
        with gzip.open(source, "rb") as stream:
            if json.loads(next(stream, b"null")) not in _FORMATS:
                raise Malformed(f"{source} is no backup of htg117's records, or one of another version")
            for line in stream:
                if last is not None:
                    digest.update(last)
                    count += 1
                    entry = json.loads(last)
                    yield entry | {"body": b64decode(entry["body"])}
                last = line
        end = json.loads(last or b"null")
        counted = sum(end.get(name, 0) for name in ("versions", "messages")) if isinstance(end, dict) else -1
        if counted != count or end["sha256"] != digest.hexdigest():
            raise Malformed(f"{source} is incomplete or was changed; nothing was restored")
    except (ValueError, EOFError, OSError, KeyError, TypeError) as fault:
        raise Malformed(f"{source} cannot be read as a backup ({type(fault).__name__})") from None


def _rebuild(connection: Connection) -> None:
    """Current records and search values from the versions."""
    newest: dict[tuple[str, str], int] = {}
    for row in connection.execute(select(version.c.type, version.c.id, version.c.version)):
        key = (row.type, row.id)
        newest[key] = max(newest.get(key, 0), row.version)
    for (type_, id_), number in newest.items():
        wanted = (version.c.type == type_, version.c.id == id_, version.c.version == number)
        row = connection.execute(select(version).where(*wanted)).one()
        current = {
            "type": type_,
            "id": id_,
            "version": row.version,
            "updated": row.updated,
            "method": row.method,
        }
        connection.execute(insert(record), [current])
        if row.method != "DELETE":
            _index(connection, type_, id_, bytes(row.body))


def _index(connection: Connection, type_: str, id_: str, body: bytes) -> None:
    rows = [
        {"type": type_, "id": id_, "parameter": one.parameter, "system": one.system, "value": one.value,
         "low": one.low, "high": one.high}
        for one in entries(decode(body, STORED).resource)
    ]  # fmt: skip
    if rows:
        connection.execute(insert(value), rows)


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def erase(engine: Engine, keys: Iterable[tuple[str, str]], at: int, subjects: Sequence[str] = ()) -> int:
    """How many versions were erased for good. Of each record a mark stays that there was one: no content.

    The mark is the version that says deleted, so that a link to the record is answered with 410 and its id is
    never given to another. Messages about the records, and about ``subjects`` (``Type/id``) beside them, lose
    their content too; those that wait are dropped.
    """
    erased = 0
    with engine.begin() as connection:
        forget(connection, subjects, at)
        for type_, id_ in keys:
            forget(connection, (f"{type_}/{id_}",), at)
            own = (version.c.type == type_, version.c.id == id_)
            last = connection.execute(
                select(version.c.version).where(*own).order_by(version.c.version.desc()).limit(1)
            ).scalar()
            if last is None:
                continue
            erased += connection.execute(version.delete().where(*own)).rowcount
            mark = {"type": type_, "id": id_, "version": last + 1, "updated": at, "method": "DELETE"}
            connection.execute(insert(version), [mark | {"body": b""}])
            connection.execute(record.delete().where(record.c.type == type_, record.c.id == id_))
            connection.execute(insert(record), [mark])
            connection.execute(value.delete().where(value.c.type == type_, value.c.id == id_))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":  # erased pages leave the file and its log too
            connection.rollback()
            connection.connection.driver_connection.executescript("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")  # type: ignore[union-attr]
    return erased
