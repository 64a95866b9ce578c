"""Statements handed to the driver: any number of rows lands once; the driver's errors become ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from service.adapters.records import plain
from service.adapters.records.tables import once, value
from service.domain.errors import Unavailable

if TYPE_CHECKING:
    from service.adapters.records import Store

UNCHANGED = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@UNCHANGED
@given(st.integers(0, 3 * plain.MOST_ROWS + 1))
def test_any_number_of_rows_lands_exactly_once(store: Store, number: int) -> None:
    rows = [("T", f"{at:04}", "p", "s", "ü'\"%?", -at, 2**62) for at in range(number)]
    with store.writer.begin() as connection:
        connection.execute(delete(value))
        assert plain.insert(connection, value, rows) == number
        assert [tuple(row) for row in connection.execute(select(value).order_by(value.c.id))] == rows


@UNCHANGED
@given(st.integers(1, 2 * plain.MOST_ROWS + 1), st.data())
def test_rows_that_are_there_are_left_and_not_counted(store: Store, number: int, data: st.DataObject) -> None:
    rows = [("s", f"{at:04}", at) for at in range(number)]
    before = data.draw(st.lists(st.sampled_from(rows), unique=True))
    with store.writer.begin() as connection:
        connection.execute(delete(once))
        assert plain.insert(connection, once, before) == len(before)
        assert plain.insert(connection, once, rows, "ON CONFLICT DO NOTHING") == number - len(before)
        assert [tuple(row) for row in connection.execute(select(once).order_by(once.c.digest))] == rows


def test_what_follows_the_values_has_its_own_parameters(store: Store) -> None:
    renewed = "ON CONFLICT (scope, digest) DO UPDATE SET expires = excluded.expires WHERE once.expires <= ?"
    with store.writer.begin() as connection:
        plain.insert(connection, once, [("s", "old", 5), ("s", "new", 50)])
        again = [("s", "old", 90), ("s", "new", 91), ("s", "more", 92)]
        assert plain.insert(connection, once, again, renewed, 10) == 2
        found = {row.digest: row.expires for row in connection.execute(select(once))}
    assert found == {"old": 90, "new": 50, "more": 92}


def test_a_row_that_breaks_a_rule_is_sqlalchemys_error_and_undoes_the_transaction(store: Store) -> None:
    row = ("s", "same", 1)
    with pytest.raises(IntegrityError), store.writer.begin() as connection:
        plain.insert(connection, once, [*(("s", str(at), 1) for at in range(plain.MOST_ROWS - 1)), row, row])
    with store.writer.begin() as connection:
        assert connection.execute(select(once)).all() == []


def test_the_drivers_errors_become_unavailable_without_what_was_asked(store: Store) -> None:
    with pytest.raises(Unavailable) as raised, plain.driven(store.engine) as cursor:
        cursor.execute("SELECT '9990000018' FROM nowhere")
    kind = {"sqlite": "OperationalError", "postgresql": "UndefinedTable"}[store.engine.dialect.name]
    said = f"the records cannot be reached at the moment ({kind}); try again shortly"
    assert [issue.message for issue in raised.value.issues] == [said]
    assert store.subjects(("QuestionnaireResponse",), frozenset({"p"})) == set()  # the next is answered


def test_a_table_that_is_not_there_is_sqlalchemys_error_too(store: Store) -> None:
    with store.writer.begin() as connection:
        connection.exec_driver_sql("DROP TABLE once")
    with pytest.raises((OperationalError, ProgrammingError)), store.writer.begin() as connection:
        plain.insert(connection, once, [("s", "d", 1)])


def test_what_our_own_code_raises_is_left_as_it_is(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), plain.driven(store.engine) as cursor:
        cursor.execute(f"SELECT {1 / 0}")


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_a_connection_that_the_server_ended_is_not_used_again(store: Store) -> None:
    def insert_after_the_end() -> None:
        with store.writer.begin() as connection:
            own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with store.engine.connect() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({own})")
            try:
                plain.insert(connection, once, [("s", "lost", 1)])
            finally:
                assert connection.invalidated

    with pytest.raises(OperationalError):
        insert_after_the_end()
    with store.writer.begin() as connection:
        assert plain.insert(connection, once, [("s", "kept", 1)]) == 1
        assert [row.digest for row in connection.execute(select(once))] == ["kept"]
