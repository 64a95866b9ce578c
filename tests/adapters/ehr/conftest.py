"""An EHR on a socket, and the service's reader of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.ehr.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A server that has nothing yet."""
    with Peer() as made:
        yield made
