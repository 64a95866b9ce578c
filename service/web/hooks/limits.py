"""Limits in memory, one set a worker: how often a client may call, and which tokens it has used."""

from __future__ import annotations

import heapq
import math
from array import array
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
    """The tokens used in this worker, by issuer and id, until the second in which they expire is over.

    Of each eight bytes are kept, as one number, and once more by its second: what a client's tokens of an
    hour come to stays small. That two have the same eight bytes is left to chance: one in 10^14 calls.
    """

    def __init__(self, clock: Callable[[], float], most: int = 200_000) -> None:
        """Nothing is used yet. ``clock`` gives seconds since 1970."""
        self._clock = clock
        self._most = most
        self._held: set[int] = set()
        self._ending: dict[int, array[int]] = {}
        self._seconds: list[int] = []

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._held)

    def use(self, issuer: str, id_: str, expires: float) -> bool:
        """Whether the token had not been used; now it has."""
        now = self._clock()
        while self._seconds and self._seconds[0] < now:
            self._held.difference_update(self._ending.pop(heapq.heappop(self._seconds)))
        if len(self._held) >= self._most:
            self._forget_one()
        named = f"{issuer}\n{id_}".encode("utf-8", "surrogatepass")
        key = int.from_bytes(blake2b(named, digest_size=8).digest(), "big")
        if key in self._held:
            return False
        self._held.add(key)
        second = math.ceil(expires)
        if second not in self._ending:
            self._ending[second] = array("Q")
            heapq.heappush(self._seconds, second)
        self._ending[second].append(key)
        return True

    def _forget_one(self) -> None:
        """One of those that expire first; the store knows it still."""
        first = self._ending[self._seconds[0]]
        self._held.discard(first.pop())
        if not first:
            del self._ending[heapq.heappop(self._seconds)]
