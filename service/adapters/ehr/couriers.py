"""The couriers of every client whose results are sent, over connections of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.adapters.ehr.backend import BackendTokens
from service.adapters.ehr.background import Background
from service.adapters.ehr.courier import EhrCourier
from service.adapters.ehr.permission import find_place
from service.adapters.ehr.pool import Ehrs
from service.domain.errors import Unavailable
from service.operations.write_back import channel_of, writes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from service.adapters.ehr.retries import Retries
    from service.operations.clients import Client
    from service.operations.ports import Records


class Couriers:
    """Couriers by channel. ``close`` when done."""

    def __init__(
        self,
        clients: Sequence[Client],
        records: Records,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        new_id: Callable[[], str],
        retries: Retries,
    ) -> None:
        """Reads the private keys; connects to nothing yet."""
        self._background = Background()
        self._pool = Ehrs(
            clock=clock, monotonic=monotonic, new_id=new_id, retries=retries, largest=10_000_000
        )
        self.by_channel: Mapping[str, EhrCourier] = {
            channel_of(client): self._courier(client, records, clock, monotonic, new_id)
            for client in clients
            if writes(client)
        }

    def close(self) -> None:
        """Nothing, once connections are closed and the loop has stopped."""
        self._background.run(self._pool.close())
        self._background.close()

    def _courier(
        self,
        client: Client,
        records: Records,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        new_id: Callable[[], str],
    ) -> EhrCourier:
        backend = client.backend
        place = find_place(backend.server.rstrip("/")) if backend else None
        if backend is None or place is None:
            raise Unavailable(f"{client.name}: the backend's server is no address that may be asked")
        exchange = self._pool.exchange(client.private)
        tokens = BackendTokens(backend, exchange, clock, new_id)
        breaker = self._pool.breaker(place.origin)
        return EhrCourier(client, records, self._background, exchange, tokens, breaker, monotonic, new_id)
