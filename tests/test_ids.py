"""The ids that this service gives."""

from __future__ import annotations

import uuid

from service.app import new_id


def test_an_id_is_a_random_uuid() -> None:
    """Version and variant as RFC 9562 writes them, in small letters; no two the same."""
    made = [new_id() for _ in range(2000)]
    assert len(set(made)) == 2000
    for one in made:
        read = uuid.UUID(one)
        assert (str(read), read.version, read.variant) == (one, 4, uuid.RFC_4122)
    variants = {one[19] for one in made}
    assert variants == set("89ab")
