"""The icon of this service's cards: 100 by 100 pixels, PNG, nothing transparent (CDS Hooks 2.0.1, Source).

A list with its marks, drawn here; the mark of whoever wrote the guidance is theirs, and is not used.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

SIDE = 100
FAVICON = "/favicon.ico"
"""Where browsers look for an icon beside whatever is no page of ours, such as a resource they show."""
_GROUND, _INK = b"\x00\x5e\xb8", b"\xff\xff\xff"
_ROWS = (22, 46, 70)


async def icon(request: Request) -> Response:  # noqa: ARG001 - a handler takes the request
    """The icon; browsers and EHRs may keep it for a day."""
    return Response(png(), media_type="image/png", headers={"Cache-Control": "public, max-age=86400"})


@cache
def png() -> bytes:
    """The picture as a PNG of 8-bit RGB (PNG specification, 11.2)."""
    lines = b"".join(
        b"\x00" + b"".join(_INK if _is_drawn(x, y) else _GROUND for x in range(SIDE)) for y in range(SIDE)
    )
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _is_drawn(x: int, y: int) -> bool:
    """Whether a point belongs to one of three lines of text, or to the square before it."""
    in_row = any(row <= y < row + 10 for row in _ROWS)
    return in_row and (20 <= x < 30 or 40 <= x < 82)
