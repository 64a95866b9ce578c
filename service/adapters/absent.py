"""The records and outbox of a command that has none at hand: every question is answered with Unavailable."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from service.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from service.operations.outbox import Claim, Fate, Settlement
    from service.operations.ports import Message, Once, Write
    from service.operations.searching.query import Query


class NoRecords:
    """Fulfils the port ``Records`` by saying that there are none."""

    def read(self, type_: str, id_: str) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{type_}/{id_}")

    def version(self, type_: str, id_: str, version: int) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{type_}/{id_}/_history/{version}")

    def history(
        self, type_: str, id_: str | None, *, count: int, cursor: str | None, since: datetime | None
    ) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{count} of {type_}/{id_ or ''} after {cursor} since {since}")

    def search(self, query: Query) -> NoReturn:
        """Unavailable."""
        self._refuse(query.type)

    def subjects(self, types: Sequence[str], names: frozenset[str]) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{len(names)} subjects of {', '.join(types)}")

    def commit(
        self,
        writes: Sequence[Write],
        now: datetime,
        messages: Sequence[Message] = (),
        once: Sequence[Once] = (),
    ) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{len(writes)} changes, {len(messages)} messages and {len(once)} marks of {now}")

    def ping(self) -> NoReturn:
        """Unavailable."""
        self._refuse("anything")

    @staticmethod
    def _refuse(asked: str) -> NoReturn:
        raise Unavailable(f"this command works without records, and {asked[:100]} was asked of them")


class NoOutbox:
    """Fulfils the port ``Outbox`` by saying that there is none."""

    def claim(self, channels: Sequence[str], now: datetime, lease: timedelta, limit: int) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{limit} messages of {len(channels)} channels for {lease} from {now}")

    def settle(
        self,
        claim: Claim,
        settlement: Settlement,
        now: datetime,
        writes: Sequence[Write] = (),
        messages: Sequence[Message] = (),
    ) -> NoReturn:
        """Unavailable."""
        parts = f"{len(writes)} changes and {len(messages)} messages at {now}"
        self._refuse(f"the end of message {claim.message.id} ({settlement.fate}) with {parts}")

    def wait(self, seconds: float) -> NoReturn:
        """Unavailable."""
        self._refuse(f"a wait of {seconds} seconds")

    def about(self, subject: str) -> NoReturn:
        """Unavailable."""
        self._refuse(f"the messages about {subject}")

    def find(self, id_: str) -> NoReturn:
        """Unavailable."""
        self._refuse(f"message {id_}")

    def backlog(self) -> NoReturn:
        """Unavailable."""
        self._refuse("the backlog")

    def page(
        self, fates: Sequence[Fate] = (), *, channel: str | None = None, count: int = 50, after: int = 0
    ) -> NoReturn:
        """Unavailable."""
        self._refuse(f"{count} messages ({len(fates)} fates) of {channel or 'all channels'} after {after}")

    def retry(self, id_: str, now: datetime, writes: Sequence[Write] = ()) -> NoReturn:
        """Unavailable."""
        self._refuse(f"another try of message {id_} at {now} with {len(writes)} changes")

    def drop(self, id_: str, now: datetime, reason: str, writes: Sequence[Write] = ()) -> NoReturn:
        """Unavailable."""
        self._refuse(
            f"the end of message {id_} at {now} with {len(writes)} changes and {len(reason)} letters"
        )

    @staticmethod
    def _refuse(asked: str) -> NoReturn:
        raise Unavailable(f"this command works without an outbox, and {asked[:100]} was asked of it")
