"""What goes in with a commit: messages, and what may happen once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from service.adapters.records.tables import once as marks
from service.adapters.records.tables import outbox
from service.domain.errors import PreconditionFailed, Repeated
from service.operations.ports import Message, Once
from tests.adapters.test_records import NOW, ids, observation, write

if TYPE_CHECKING:
    from service.adapters.records import Store


def message(id_: str, subject: str = "Observation/a", body: bytes = b"{}") -> Message:
    return Message(id_, "gateway", subject, "application/json", body, {"case": "Ä-1"})


def token(key: str, minutes: int = 5) -> Once:
    return Once("jti:https://ehr.example.org", key, NOW + timedelta(minutes=minutes))


def held(store: Store) -> list[tuple[str, bytes, str]]:
    with store.engine.connect() as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.number)).all()
    return [(row.id, bytes(row.body), row.details) for row in rows]


def test_a_message_stands_in_the_outbox_with_the_record_or_not_at_all(store: Store) -> None:
    store.commit([write(observation("a"), 0)], NOW, [message("m1")])
    with pytest.raises(PreconditionFailed):
        store.commit([write(observation("a"), 0)], NOW, [message("m2")])
    store.commit([], NOW, [message("m3")])
    assert held(store) == [("m1", b"{}", '{"case": "Ä-1"}'), ("m3", b"{}", '{"case": "Ä-1"}')]


def test_a_message_whose_id_is_there_already_is_left_as_it_is(store: Store) -> None:
    store.commit([], NOW, [message("m1", body=b"first")])
    store.commit([write(observation("a"))], NOW, [message("m1", body=b"second"), message("m2")])
    assert [(id_, body) for id_, body, _ in held(store)] == [("m1", b"first"), ("m2", b"{}")]
    assert ids(store) == ["a"]


def test_what_may_happen_once_happens_once_until_it_expires(store: Store) -> None:
    store.commit([write(observation("a"))], NOW, once=[token("x")])
    with pytest.raises(Repeated):
        store.commit([write(observation("b"))], NOW + timedelta(minutes=4), [message("m1")], [token("x")])
    assert (ids(store), held(store)) == (["a"], [])
    store.commit([], NOW, once=[token("y"), Once("feedback", "x", NOW + timedelta(minutes=5))])
    later = NOW + timedelta(minutes=5)
    store.commit([write(observation("b"))], later, once=[token("x", minutes=10)])
    with pytest.raises(Repeated):
        store.commit([], later + timedelta(minutes=4), once=[token("x", minutes=20)])
    with pytest.raises(Repeated):
        store.commit([], NOW, once=[token("twice", 30), token("twice", 30)])
    assert ids(store) == ["a", "b"]


def test_scopes_and_keys_may_be_long_and_are_kept_apart(store: Store) -> None:
    long, expires = "https://ehr.example.org/" + "x" * 500, NOW + timedelta(minutes=5)
    marks = [Once(long, "k", expires), Once(long + "y", "k", expires), Once(long, "k" * 5000, expires)]
    store.commit([], NOW, once=marks)
    for mark in marks:
        with pytest.raises(Repeated):
            store.commit([], NOW, once=[mark])


def test_marks_that_expired_are_taken_out_in_passing(store: Store) -> None:
    for start in range(0, 900, 100):
        store.commit([], NOW, once=[token(f"{start + one}") for one in range(100)])
    for at in range(450):
        store.commit([], NOW + timedelta(hours=1), once=[token(f"later-{at}", minutes=120)])
    with store.engine.connect() as connection:
        left = connection.execute(select(func.count()).select_from(marks)).scalar_one()
    assert left == 450


def test_of_many_at_once_one_alone_uses_a_token(store: Store) -> None:
    outcomes: list[str] = []

    def use(name: str) -> None:
        try:
            store.commit([write(observation(name))], NOW, once=[token("same"), token(f"own-{name}")])
            outcomes.append("used")
        except Repeated:
            outcomes.append("repeated")

    threads = [threading.Thread(target=use, args=(f"n{at}",)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["repeated"] * 11 + ["used"]
    assert len(ids(store)) == 1
