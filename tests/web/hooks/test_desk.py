"""The desk closes all that it has, whichever part of it fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.web.hooks.desk import Desk

PARTS = ("journal", "ehrs", "clerk", "guard")


@pytest.mark.parametrize("failing", PARTS)
def test_each_part_is_closed_in_turn_though_one_fails(failing: str) -> None:
    closed: list[str] = []

    class Part:
        def __init__(self, name: str) -> None:
            self.name = name

        async def close(self) -> None:
            closed.append(self.name)
            if self.name == failing:
                raise RuntimeError(failing)

    made: dict[str, Any] = {name: Part(name) for name in PARTS}
    clerk = made.pop("clerk")
    left: dict[str, Any] = dict.fromkeys(("services", "discovery", "advise", "used", "buckets"))
    desk = Desk(**made, **left, ending=clerk.close)
    with pytest.raises(RuntimeError, match=failing):
        asyncio.run(desk.close())
    assert tuple(closed) == PARTS
