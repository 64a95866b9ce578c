"""Backup, restore and erasure, on each database."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from service.adapters.records import connect
from service.adapters.records.archive import back_up, erase, restore
from service.adapters.records.outbox import Outbox
from service.adapters.records.tables import outbox as table
from service.domain.errors import Conflict, Malformed, Overtaken
from service.operations.erasure import find_records
from service.operations.outbox import Fate, Settlement
from service.operations.ports import Message, Write
from service.operations.searching.dates import microseconds
from tests.adapters.test_records import NOW, ids, observation, write

if TYPE_CHECKING:
    from pathlib import Path

    from service.adapters.records import Store


@pytest.fixture
def filled(store: Store) -> Store:
    """Three records of two patients in five versions, one of them deleted."""
    store.commit([write(observation("a")), write(observation("b"))], NOW)
    store.commit([write(observation("a", status="amended"))], NOW)
    store.commit([write(observation("c", subject={"reference": "Patient/p2"}))], NOW)
    store.commit([Write("Observation", "b", None)], NOW)
    return store


def test_a_backup_restores_every_version_and_the_search(filled: Store, tmp_path: Path) -> None:
    file = tmp_path / "backup.gz"
    assert back_up(filled.engine, file) == 5
    other = connect(f"sqlite:///{tmp_path}/other.sqlite3")
    assert restore(other.writer, file) == 5
    for id_ in "abc":
        whole = {"count": 10, "cursor": None, "since": None}
        assert other.history("Observation", id_, **whole) == filled.history("Observation", id_, **whole)  # type: ignore[arg-type]
        assert other.read("Observation", id_) == filled.read("Observation", id_)
    assert ids(other, ("patient", "p1")) == ids(filled, ("patient", "p1")) == ["a"]
    with pytest.raises(Conflict, match="empty"):
        restore(other.writer, file)
    other.close()


@pytest.mark.parametrize("keep", [0, 40, -30])
def test_a_damaged_backup_restores_nothing(filled: Store, tmp_path: Path, keep: int) -> None:
    file = tmp_path / "backup.gz"
    back_up(filled.engine, file)
    file.write_bytes(file.read_bytes()[:keep])
    other = connect(f"sqlite:///{tmp_path}/other.sqlite3")
    with pytest.raises(Malformed):
        restore(other.writer, file)
    assert ids(other) == []
    other.close()


def test_a_backup_that_lost_a_line_is_refused(filled: Store, tmp_path: Path) -> None:
    file = tmp_path / "backup.gz"
    back_up(filled.engine, file)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join([*lines[:2], *lines[3:]])))
    other = connect(f"sqlite:///{tmp_path}/other.sqlite3")
    with pytest.raises(Malformed, match="changed"):
        restore(other.writer, file)
    assert ids(other) == []
    other.close()


def test_erasure_leaves_a_mark_without_content_and_touches_nobody_else(filled: Store) -> None:
    found = find_records(filled, reference="Patient/p1")
    assert ([one.id for one in found.erased], found.kept) == (["a"], ())
    assert erase(filled.writer, [("Observation", "a")], microseconds(NOW)) == 2
    marked = filled.read("Observation", "a")
    assert marked is not None
    assert (marked.version, marked.deleted, marked.body) == (3, True, b"")
    assert filled.version("Observation", "a", 1) is None
    assert ids(filled) == ["c"]
    assert find_records(filled, reference="Patient/p1").erased == ()


def test_retention_keeps_what_was_changed_since(filled: Store) -> None:
    assert [one.id for one in find_records(filled, reference="Patient/p2", unchanged_since=NOW).kept] == ["c"]


def put(id_: str, subject: str = "Observation/a") -> Message:
    return Message(id_, "gateway", subject, "text/plain", f"body of {id_}".encode(), {"case": id_})


def test_the_outbox_is_restored_with_the_records_and_nobody_holds_a_claim(
    filled: Store, tmp_path: Path
) -> None:
    outbox, lease = Outbox(filled), timedelta(minutes=1)
    filled.commit([], NOW, [put("m1"), put("m2", "Observation/b"), put("m3"), put("m4", "Patient/p2")])
    one, two, four = outbox.claim(("gateway",), NOW, lease, 10)
    outbox.settle(one, Settlement(Fate.DELIVERED, reference="r1"), NOW)
    outbox.settle(two, Settlement(Fate.REFUSED, "the gateway answered 422"), NOW)
    file = tmp_path / "backup.gz"
    assert back_up(filled.engine, file) == 5
    other = connect(f"sqlite:///{tmp_path}/other.sqlite3")
    assert restore(other.writer, file) == 5
    again = Outbox(other)
    waiting = replace(outbox.about("Patient/p2")[0], fate=Fate.WAITING)
    assert again.page()[0] == (*outbox.page()[0][:3], waiting)
    claims = again.claim(("gateway",), NOW + lease, lease, 10)
    assert [(one.message, one.attempt) for one in claims] == [(put("m3"), 1), (four.message, 2)]
    other.close()


def test_a_backup_of_the_release_before_the_outbox_is_still_read(filled: Store, tmp_path: Path) -> None:
    file = tmp_path / "backup.gz"
    back_up(filled.engine, file)
    first, *lines, last = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    old = first.replace(b'"version":2', b'"version":1'), *lines, last.replace(b'"messages":0,', b"")
    file.write_bytes(gzip.compress(b"".join(old)))
    other = connect(f"sqlite:///{tmp_path}/other.sqlite3")
    assert restore(other.writer, file) == 5
    assert ids(other) == ids(filled)
    other.close()


def test_erasure_empties_the_messages_about_what_is_erased(filled: Store) -> None:
    outbox = Outbox(filled)
    filled.commit([], NOW, [put("m1"), put("m2"), put("m3", "Observation/c"), put("m4", "Patient/p1")])
    claims = outbox.claim(("gateway",), NOW, timedelta(minutes=1), 10)
    outbox.settle(claims[0], Settlement(Fate.DELIVERED, reference="r1"), NOW)
    (flying,) = outbox.claim(("gateway",), NOW, timedelta(minutes=1), 1)
    erase(filled.writer, [("Observation", "a")], microseconds(NOW), ["Patient/p1"])
    with pytest.raises(Overtaken):
        outbox.settle(flying, Settlement(Fate.DELIVERED), NOW, [write(observation("a"))])
    with filled.engine.connect() as connection:
        rows = connection.execute(select(table).order_by(table.c.number)).all()
    assert [(row.id, row.fate, bytes(row.body), row.details, row.reference) for row in rows] == [
        ("m1", "delivered", b"", "{}", None),
        ("m2", "dropped", b"", "{}", None),
        ("m3", "claimed", b"body of m3", '{"case": "m3"}', None),
        ("m4", "dropped", b"", "{}", None),
    ]
