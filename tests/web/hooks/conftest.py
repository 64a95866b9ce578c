"""The service with an adviser that answers what the test says, so that the web side is seen alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from service.app import build
from service.operations.advise import Advice
from service.settings import Settings
from tests.patience import PATIENCE
from tests.web.conftest import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.web.hooks.desk import Question

CARD = {
    "uuid": "00000000-0000-4000-8000-000000000001",
    "summary": "Criteria not known: 3",
    "indicator": "warning",
    "source": {"label": "Test"},
}


class Adviser:
    """Answers with its cards, or raises its fault; keeps what it was asked."""

    def __init__(self) -> None:
        """Answers with one card."""
        self.answer = Advice((CARD,))
        self.fault: BaseException | None = None
        self.asked: list[Question] = []

    async def __call__(self, question: Question) -> Advice:
        """The answer."""
        self.asked.append(question)
        if self.fault is not None:
            raise self.fault
        return self.answer


Opened = Callable[..., Client]


def hook_up(client: Client, adviser: Adviser, **more: Any) -> None:
    """Puts the adviser, and other parts, in the place of the application's."""
    state = client.app.state
    state.desk = dataclasses.replace(state.desk, advise=adviser, **more)


@pytest.fixture
def adviser() -> Adviser:
    return Adviser()


@pytest.fixture
def client(tmp_path: Path, adviser: Adviser) -> Iterator[Client]:
    """A client of a fresh service in development mode."""
    with Client(build(Settings(database_url=f"sqlite:///{tmp_path}/r.sqlite3", **PATIENCE))) as made:
        hook_up(made, adviser)
        yield made
