"""Bundles of search results and histories, with their links, entries made of bytes and not parsed again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from service.fhir.json_text import encode
from service.operations.representation import instant
from service.web.errors import outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from service.domain.issues import Issue


def bundle(
    kind: str,
    entries: Iterable[bytes],
    *,
    id_: str,
    now: datetime,
    total: int | None,
    links: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A Bundle's bytes: its head, and the entries as they are."""
    head: dict[str, Any] = {"resourceType": "Bundle", "id": id_, "meta": {"lastUpdated": instant(now)}}
    head["type"] = kind
    if total is not None:
        head["total"] = total
    if links:
        head["link"] = [{"relation": relation, "url": url} for relation, url in links]
    listed = b",".join(entries)
    body = encode(head)
    return body[:-1] + b',"entry":[' + listed + b"]}" if listed else body


def entry(url: str, resource: bytes | None, **rest: Any) -> bytes:
    """One entry: its fullUrl, its resource's bytes, and ``search``, ``request`` or ``response``."""
    parts = [b'"fullUrl":' + json.dumps(url).encode()] if url else []
    if resource is not None:
        parts.append(b'"resource":' + resource.strip().removeprefix(b"\xef\xbb\xbf"))
    parts += [json.dumps(name).encode() + b":" + encode(value) for name, value in rest.items()]
    return b"{" + b",".join(parts) + b"}"


def issue_entry(issues: Iterable[Issue], id_: str, mode: str | None = "outcome") -> bytes:
    """The entry that carries issues: with the mode ``outcome`` in a search result (R4 ``search.html``).

    ``id_`` is a UUID for its full URL, without which only transactions may do (R4 ``bundle.html``).
    """
    body, url = encode(outcome(issues)), f"urn:uuid:{id_}"
    return entry(url, body, search={"mode": mode}) if mode else entry(url, body)


def page_links(
    address: str, pairs: Sequence[tuple[str, str]], current: str | None, following: str | None
) -> list[tuple[str, str]]:
    """The ``self`` and ``next`` links of a page; ``self`` names what was really used."""
    own = [*pairs, ("_cursor", current)] if current else list(pairs)
    links = [("self", f"{address}?{urlencode(own)}" if own else address)]
    if following:
        links.append(("next", f"{address}?{urlencode([*pairs, ('_cursor', following)])}"))
    return links
