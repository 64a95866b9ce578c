"""One worker as a process of its own, which may kill itself at a step: run with a plan as JSON.

``store``: the database. ``url``: the gateway. ``kill``: the step, and at which time it comes there.
``ahead``: seconds that its clock runs ahead.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from service.adapters.deliveries import Deliveries
from service.adapters.gateways.config import Gateway
from service.adapters.gateways.http import Http
from service.adapters.records import Outbox, connect
from service.domain.errors import Refused
from service.fhir.json_text import decode, encode
from service.operations.deliver import Line, Patience
from service.operations.ports import Message, Receipt, Write

if TYPE_CHECKING:
    from service.adapters.records import Store
    from service.domain.errors import ServiceError
    from service.operations.deliver import Follow

STATES = {"delivered": "final", "refused": "cancelled", "given up": "entered-in-error"}


def report(id_: str, status: str = "preliminary", reference: str | None = None) -> dict[str, Any]:
    """A record that stands for a report: its status is the report's state."""
    made = {"resourceType": "Observation", "id": id_, "status": status, "code": {"text": "report"}}
    return made | ({"note": [{"text": reference}]} if reference else {})


def opening(id_: str) -> tuple[list[Write], list[Message]]:
    """What is committed when a report is handed to the gateway."""
    resource = report(id_)
    message = Message(
        f"message-{id_}", "gateway", f"Observation/{id_}", "text/plain", f"report {id_}".encode()
    )
    return [Write("Observation", id_, resource, encode(resource), expected=0)], [message]


class Settling:
    """Moves the report that a message is about from preliminary to its end, from which nothing moves it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __call__(self, message: Message, outcome: Receipt | ServiceError) -> Follow:
        id_ = message.subject.partition("/")[2]
        standing = self.store.read("Observation", id_)
        assert standing is not None
        assert decode(standing.body).resource["status"] == "preliminary", f"{id_} came to an end twice"
        took, refused = isinstance(outcome, Receipt), isinstance(outcome, Refused)
        end = "delivered" if took else "refused" if refused else "given up"
        reference = outcome.reference if isinstance(outcome, Receipt) else None
        resource = report(id_, STATES[end], reference)
        return [Write("Observation", id_, resource, encode(resource), expected=standing.version)], []


class Dying:
    """Kills this process at a step when it comes there for the n-th time."""

    def __init__(self, step: str | None, time: int) -> None:
        self.step, self.left = step, time

    def at(self, step: str) -> None:
        if step == self.step:
            self.left -= 1
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A part of the worker, with a step before and after each call of a method."""

    def __init__(self, part: Any, dying: Dying, **names: str) -> None:
        self._part, self._dying, self._names = part, dying, names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        step = self._names.get(name)
        if step is None:
            return found

        def call(*given: Any, **more: Any) -> Any:
            self._dying.at(f"before {step}")
            made = found(*given, **more)
            if made or step != "claim":
                self._dying.at(f"after {step}")
            return made

        return call


def main(plan: dict[str, Any]) -> None:
    """Works until nothing is due, or until it is told to stop."""
    dying = Dying(plan.get("kill"), plan.get("time", 1))
    store = connect(plan["store"])

    @event.listens_for(store.writer, "commit")
    def commit(_connection: Any) -> None:
        dying.at("before COMMIT")

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=plan.get("ahead", 0))

    if "put" in plan:
        for id_ in plan["put"]:
            dying.at("before put")
            writes, messages = opening(id_)
            store.commit(writes, clock(), messages)
            dying.at("after put")
        return
    gateway = Gateway(kind="http", url=plan["url"], timeout=plan.get("timeout", 5))
    patience = Patience(
        timedelta(seconds=plan.get("first", 0.05)), timedelta(seconds=plan.get("longest", 0.5)),
        plan.get("tries", 50), timedelta(days=1),
    )  # fmt: skip
    courier: Any = Watched(Http(gateway, clock), dying, deliver="delivery")
    outbox: Any = Watched(Outbox(store), dying, claim="claim", settle="settlement")
    lines = {"gateway": Line(courier, Settling(store), patience, plan.get("width", 2))}
    lease = timedelta(seconds=plan.get("lease", 600))
    stop = Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    worker = Deliveries(outbox, lines, clock, random.random, lease=lease)
    worker.run(stop, until_empty=plan.get("until_empty", True))
    store.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
