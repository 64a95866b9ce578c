"""The ids that this service gives."""

from __future__ import annotations

import time
import uuid

from service.app import new_id


def test_an_id_is_a_uuid_of_its_time_and_chance() -> None:
    """Version and variant as RFC 9562 writes them, in small letters; in their order, no two the same."""
    began = time.time_ns() // 1_000_000
    made = [new_id() for _ in range(2000)]
    assert len(set(made)) == 2000
    for one in made:
        read = uuid.UUID(one)
        assert (str(read), read.version, read.variant) == (one, 7, uuid.RFC_4122)
    moments = [uuid.UUID(one).int >> 80 for one in made]
    assert moments == sorted(moments)
    assert began <= moments[0] <= moments[-1] <= time.time_ns() // 1_000_000
    variants = {one[19] for one in made}
    assert variants == set("89ab")
