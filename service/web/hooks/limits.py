"""Limits in memory, one set a worker: how often a client may call, and which tokens it has used."""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING

from service.web.errors import TooMany

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 10_000


class Buckets:
    """A token bucket a client: ``rate`` requests a minute, as many at once. 0 sets no limit."""

    def __init__(self, rate: int, clock: Callable[[], float]) -> None:
        """Every bucket is full. ``clock`` gives seconds and never runs backwards."""
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str, take: float = 1.0) -> None:
        """Nothing, and one request is taken from the client's bucket; TooMany where it is empty.

        With ``take`` 0 nothing is taken.
        """
        if not self._rate:
            return
        now = self._clock()
        left, since = self._left.pop(client, (float(self._rate), now))
        left = min(float(self._rate), left + (now - since) * self._rate / 60)
        enough = left >= 1
        self._left[client] = (left - take if enough else left, now)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)  # whoever has not called for the longest time
        if not enough:
            raise TooMany(max(1, math.ceil((1 - left) * 60 / self._rate)))


class Used:
    """The tokens used in this worker, by issuer and id, until they expire."""

    def __init__(self, clock: Callable[[], float], most: int = 200_000) -> None:
        """Nothing is used yet. ``clock`` gives seconds since 1970."""
        self._clock = clock
        self._most = most
        self._held: set[bytes] = set()
        self._order: list[tuple[float, bytes]] = []

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._held)

    def use(self, issuer: str, id_: str, expires: float) -> bool:
        """Whether the token had not been used; now it has."""
        now = self._clock()
        while self._order and (self._order[0][0] < now or len(self._order) > self._most):
            self._held.discard(heapq.heappop(self._order)[1])
        named = f"{issuer}\n{id_}".encode("utf-8", "surrogatepass")
        key = blake2b(named, digest_size=16).digest()  # ids may be long
        if key in self._held:
            return False
        self._held.add(key)
        heapq.heappush(self._order, (expires, key))
        return True
