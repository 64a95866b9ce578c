"""The ``[gateway]`` table of the site file: how reports leave the house, and its check."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.domain.addresses import fault_of
from service.operations.deliver import Patience

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("none", "folder", "http")


@dataclass(frozen=True, slots=True)
class Gateway:
    """How reports leave the house.

    ``kind``: ``none`` (the default: a person submits what is prepared), ``folder`` or ``http``.

    Folder: ``folder`` takes the files that an AS2 gateway sends; acknowledgements are read from ``inbox``,
    where there is one, and moved to ``done`` or ``failed`` inside it.

    Http: reports are posted to ``url``. ``cert`` and ``key`` are the client's certificate (PEM), ``ca`` the
    authorities to trust in place of the system's. With ``token_url``, a token is asked for with ``client_id``
    and the secret in ``secret_file``, for ``scope``. ``id_header`` carries the message's id. ``present``:
    statuses by which this gateway says that it has the message already (409 among them only if it says so).

    For both: ``largest``, the bytes of an acknowledgement or answer that are read at most; ``timeout``,
    seconds; ``first``, seconds before the second try; ``longest``, seconds between tries at most; ``tries``
    and ``days``, after which a message is given up; ``width``, how many are delivered at once by a process.
    """

    kind: str = "none"
    folder: Path | None = None
    inbox: Path | None = None
    url: str = ""
    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    token_url: str = ""
    client_id: str = ""
    secret_file: Path | None = None
    scope: str = ""
    id_header: str = "Idempotency-Key"
    present: tuple[int, ...] = ()
    largest: int = 5_000_000
    timeout: int = 30
    first: int = 5
    longest: int = 3600
    tries: int = 100
    days: int = 5
    width: int = 4

    @property
    def patience(self) -> Patience:
        """How often and how long a report is tried."""
        first, longest = timedelta(seconds=self.first), timedelta(seconds=self.longest)
        return Patience(first, longest, self.tries, timedelta(days=self.days))


_RANGES = {"largest": (1_000, 100_000_000), "timeout": (1, 300), "first": (1, 3600), "longest": (1, 86_400),
           "tries": (1, 10_000), "days": (1, 365), "width": (1, 32)}  # fmt: skip
_OF_FOLDER = ("folder", "inbox")
_OF_HTTP = (
    "url",
    "cert",
    "key",
    "ca",
    "token_url",
    "client_id",
    "secret_file",
    "scope",
    "id_header",
    "present",
)
_PATHS = ("folder", "inbox", "cert", "key", "ca", "secret_file")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


def read(table: Mapping[str, Any], base: Path, faults: list[str]) -> Gateway:
    """The gateway of a ``[gateway]`` table; what is wrong in it goes to ``faults``, a sentence each.

    Relative paths are from ``base``, the site file's folder.
    """
    known = {field.name for field in fields(Gateway)}
    chosen: dict[str, Any] = {}
    before = len(faults)
    for name, value in table.items():
        if name not in known:
            faults.append(f"gateway.{name} is not a setting; these are: {', '.join(sorted(known))}")
        elif (read_value := _value(name, value, base, faults)) is not None:
            chosen[name] = read_value
    gateway = Gateway(**chosen)
    if len(faults) == before:
        faults += [f"gateway.{fault}" for fault in _judge(gateway, chosen)]
    return gateway if len(faults) == before else Gateway()


def _value(name: str, value: Any, base: Path, faults: list[str]) -> Any:
    if name in _RANGES:
        least, most = _RANGES[name]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        faults.append(f"gateway.{name} is a whole number from {least} to {most}")
        return None
    if name == "present":
        if isinstance(value, list) and all(type(one) is int and 400 <= one <= 499 for one in value):
            return tuple(value)
        faults.append("gateway.present is a list of statuses from 400 to 499")
        return None
    if not isinstance(value, str) or not value:
        faults.append(f"gateway.{name} is a text")
        return None
    return base / Path(value).expanduser() if name in _PATHS else value


def _judge(gateway: Gateway, chosen: Mapping[str, Any]) -> list[str]:
    if gateway.kind not in KINDS:
        return [f"kind is one of {', '.join(KINDS)}, not '{gateway.kind}'"]
    strange = {"none": (*_OF_FOLDER, *_OF_HTTP), "folder": _OF_HTTP, "http": _OF_FOLDER}[gateway.kind]
    faults = [f'{name} has no meaning with kind = "{gateway.kind}"' for name in strange if name in chosen]
    if gateway.first > gateway.longest:
        faults.append("first is longer than longest")
    if gateway.kind == "folder":
        faults += _judge_folder(gateway)
    if gateway.kind == "http":
        faults += _judge_http(gateway)
    return faults


def _judge_folder(gateway: Gateway) -> list[str]:
    faults = [] if gateway.folder else ["folder is missing"]
    for name, path in (("folder", gateway.folder), ("inbox", gateway.inbox)):
        if path is not None and not path.is_dir():
            faults.append(f"{name} is {path}, which is no folder")
    if gateway.folder and gateway.inbox and gateway.folder.resolve() == gateway.inbox.resolve():
        faults.append("inbox is the same folder as folder")
    return faults


def _judge_http(gateway: Gateway) -> list[str]:
    faults = [] if gateway.url else ["url is missing"]
    for name, url in (("url", gateway.url), ("token_url", gateway.token_url)):
        if url and (fault := fault_of(url)):
            faults.append(f"{name} {fault}")
    for name, path in (("cert", gateway.cert), ("key", gateway.key), ("ca", gateway.ca),
                       ("secret_file", gateway.secret_file)):  # fmt: skip
        if path is not None and not path.is_file():
            faults.append(f"{name} is {path}, which is no file")
    if (gateway.cert is None) != (gateway.key is None):
        faults.append("cert goes together with key")
    parts = (bool(gateway.token_url), bool(gateway.client_id), gateway.secret_file is not None)
    if any(parts) and not all(parts):
        faults.append("token_url goes together with client_id and secret_file")
    if gateway.scope and not gateway.token_url:
        faults.append("scope has no meaning without token_url")
    if not _TOKEN.fullmatch(gateway.id_header):
        faults.append("id_header is the name of an HTTP header")
    return faults
