"""Reports on both databases: many at once on one report, and a form followed in its own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.operations.report import test_together as together
from tests.operations.report.conftest import House

if TYPE_CHECKING:
    from service.adapters.records import Store


@pytest.mark.parametrize(
    "proof",
    [
        together.test_many_drafts_at_once_make_one_report,
        together.test_many_entries_at_once_are_all_kept,
        together.test_of_two_who_do_different_things_each_meets_a_sound_state,
        together.test_an_amendment_and_a_reference_at_once_both_count,
    ],
)
def test_what_holds_together_holds_on_each_database(store: Store, proof: object) -> None:
    assert callable(proof)
    proof(House(store))
