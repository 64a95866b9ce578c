"""The icon that cards name: what CDS Hooks asks of it, and where it is."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from service.cds.faces import ICON

if TYPE_CHECKING:
    from tests.web.conftest import Client


def test_browsers_find_the_icon_where_they_look_unasked(client: Client) -> None:
    """Beside a resource that is shown as it is, no page names an icon, and browsers complain of a 404."""
    assert client.get("/favicon.ico").content == client.get(ICON).content


@pytest.mark.requirement("Source: an icon is a PNG of 100 by 100 pixels without transparent regions")
def test_the_icon_is_a_png_of_100_by_100_pixels_without_transparency(client: Client) -> None:
    """Every chunk is whole, and every line of pixels is there in three colours."""
    given = client.get(ICON)
    assert (given.status_code, given.headers["content-type"]) == (200, "image/png")
    body, at, chunks = given.content, 8, []
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(body):
        (size,) = struct.unpack(">I", body[at : at + 4])
        kind, data = body[at + 4 : at + 8], body[at + 8 : at + 8 + size]
        assert struct.unpack(">I", body[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + data),)
        chunks.append((kind, data))
        at += 12 + size
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colours, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (width, height, depth, colours, rest) == (100, 100, 8, 2, [0, 0, 0])  # 2: RGB, no alpha
    assert len(zlib.decompress(chunks[1][1])) == 100 * (1 + 3 * 100)
