"""What the environment decides, read once into one frozen object. README.md lists every name.

Nothing else in the project reads the environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from service.domain.addresses import fault_of, loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "HTG117_"


class SettingsFault(ValueError):
    """The environment asks for something that cannot be; ``str()`` lists every fault, a line each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One field a setting; the name of its environment variable is ``HTG117_`` and the field in capitals.

    ``host``, ``port``: where the service listens. ``base_url``: the public address of the service, as links
    in answers carry it; empty takes it from each request. ``database_url``: where records are kept.
    ``content``: folders of published content (separated like PATH) that replace the packaged ones.
    ``cache``: a folder that remembers which content was found sound, so that a restart is quick.
    ``issuers``: the OpenID issuers whose tokens are accepted, separated by commas. ``audience``: what a
    token must have been made for. ``introspection``: where opaque tokens are asked about (RFC 7662),
    ``introspection_client`` and ``introspection_secret``: who asks, and the file with its secret.
    ``clients``: the TOML file of the EHRs that may call CDS Hooks (docs/integrating.md).
    ``site``: the TOML file that says who reports adverse events, and where to (docs/examples/site.toml).
    ``ehr_milliseconds`` and ``hook_milliseconds``: how long the EHR, and a whole call of CDS Hooks, may take.
    ``hook_records``: who records calls of CDS Hooks, a ``process`` beside the worker or its ``threads``.
    ``cors_origins``: the web pages whose scripts may call CDS Hooks, separated by commas. ``rate_limit``: how
    many calls of CDS Hooks a client may make in a minute, on each worker; 0 sets no limit.
    ``body_seconds``: how long a request's body may take to arrive.
    ``max_body``: the largest request body, in bytes. ``max_depth``: the
    deepest nesting of a body. ``log_level``: debug, info, warning or error. ``shutdown_seconds``: how
    long requests may finish once the service is told to stop.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str = ""
    database_url: str = "sqlite:///var/htg117.sqlite3"
    content: str = ""
    cache: str = "~/.cache/htg117"
    issuers: tuple[str, ...] = ()
    audience: str = ""
    introspection: str = ""
    introspection_client: str = ""
    introspection_secret: str = ""
    clients: str = ""
    site: str = ""
    ehr_milliseconds: int = 400
    hook_milliseconds: int = 500
    hook_records: str = "process"
    cors_origins: tuple[str, ...] = ()
    rate_limit: int = 0
    body_seconds: int = 10
    max_body: int = 5_000_000
    max_depth: int = 100
    log_level: str = "info"
    shutdown_seconds: int = 20

    @property
    def development(self) -> bool:
        """Whether nothing judges tokens: everyone who reaches the port may do everything."""
        return not self.issuers and not self.introspection

    @property
    def content_folders(self) -> tuple[Path, ...]:
        """The folders named by ``content``, if any."""
        return tuple(Path(part) for part in self.content.split(os.pathsep) if part)


_RANGES = {"port": (0, 65535), "max_body": (1_000, 1_000_000_000), "max_depth": (10, 500),
           "shutdown_seconds": (0, 600), "ehr_milliseconds": (1, 60_000), "hook_milliseconds": (10, 60_000),
           "rate_limit": (0, 1_000_000), "body_seconds": (1, 600)}  # fmt: skip
_LISTS = ("issuers", "cors_origins")


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; SettingsFault lists all that is wrong in it."""
    known = {f"{PREFIX}{field.name.upper()}": field.name for field in fields(Settings)}
    faults: list[str] = []
    chosen: dict[str, object] = {}
    for name, text in environment.items():
        if not name.startswith(PREFIX) or not text:
            continue
        if name not in known:
            faults.append(f"{name} is not a setting; these are: {', '.join(known)}")
            continue
        field = known[name]
        if field in _RANGES:
            chosen[field] = _whole(name, text, *_RANGES[field], faults)
        elif field in _LISTS:
            chosen[field] = tuple(part.strip() for part in text.split(",") if part.strip())
        else:
            chosen[field] = text
    settings = Settings(**chosen)  # type: ignore[arg-type]
    faults += _judge(settings)
    if faults:
        raise SettingsFault("\n".join(faults))
    return settings


def _whole(name: str, text: str, least: int, most: int, faults: list[str]) -> int:
    if text.isascii() and text.isdigit() and least <= int(text[:12]) <= most:
        return int(text)
    faults.append(f"{name} is a whole number from {least} to {most}, not '{text}'")
    return least


def _judge(settings: Settings) -> list[str]:
    faults = []
    if settings.development and not loopback(settings.host):
        faults.append(
            f"HTG117_HOST is {settings.host}, which others can reach, but HTG117_ISSUERS names no issuer of "
            "tokens: anyone could read patients' records. Name the issuers, or listen on 127.0.0.1"
        )
    faults += _judge_introspection(settings)
    faults += _judge_hooks(settings)
    if settings.issuers and not settings.audience:
        faults.append("HTG117_AUDIENCE is missing: with HTG117_ISSUERS it says what a token must be made for")
    faults += [
        f"HTG117_ISSUERS: '{issuer}' is not an https address"
        for issuer in settings.issuers
        if not issuer.startswith("https://")
    ]
    if settings.log_level not in ("debug", "info", "warning", "error"):
        faults.append(f"HTG117_LOG_LEVEL is debug, info, warning or error, not '{settings.log_level}'")
    if not settings.database_url.startswith(("sqlite:///", "postgresql:", "postgresql+psycopg:")):
        faults.append("HTG117_DATABASE_URL begins with sqlite:/// or postgresql://")
    if settings.base_url and not settings.base_url.startswith(("http://", "https://")):
        faults.append("HTG117_BASE_URL is an http or https address")
    faults += [
        f"HTG117_CONTENT: {path} is no folder" for path in settings.content_folders if not path.is_dir()
    ]
    return faults


def _judge_hooks(settings: Settings) -> list[str]:
    """What is wrong with how CDS Hooks is offered."""
    faults = []
    if settings.clients and not Path(settings.clients).is_file():
        faults.append(f"HTG117_CLIENTS: {settings.clients} is no file")
    if settings.site and not Path(settings.site).is_file():
        faults.append(f"HTG117_SITE: {settings.site} is no file")
    if settings.clients and not settings.base_url and not loopback(settings.host):
        faults.append(
            "HTG117_BASE_URL is missing: with HTG117_CLIENTS a token is made for the service's public "
            "address, which is not to be taken from what a request says"
        )
    if settings.ehr_milliseconds > settings.hook_milliseconds:
        faults.append("HTG117_EHR_MILLISECONDS is part of HTG117_HOOK_MILLISECONDS; make it no larger")
    if settings.hook_records not in ("process", "threads"):
        faults.append(f"HTG117_HOOK_RECORDS is process or threads, not '{settings.hook_records}'")
    faults += [
        f"HTG117_CORS_ORIGINS: '{origin}' is not an https origin such as https://ehr.example.org"
        for origin in settings.cors_origins
        if fault_of(origin) or origin.count("/") != 2
    ]
    return faults


def _judge_introspection(settings: Settings) -> list[str]:
    """What is wrong with how opaque tokens are asked about."""
    if not settings.introspection:
        return [
            f"HTG117_{name.upper()} is of use only with HTG117_INTROSPECTION"
            for name in ("introspection_client", "introspection_secret")
            if getattr(settings, name)
        ]
    faults = []
    if wrong := fault_of(settings.introspection):
        faults.append(f"HTG117_INTROSPECTION: '{settings.introspection}' {wrong}")
    if not settings.introspection_client:
        faults.append("HTG117_INTROSPECTION_CLIENT is missing: the client that asks about tokens")
    if not settings.introspection_secret or not Path(settings.introspection_secret).is_file():
        faults.append(
            "HTG117_INTROSPECTION_SECRET names the file that holds the client's secret; it is no file"
        )
    if not settings.audience:
        faults.append(
            "HTG117_AUDIENCE is missing: with HTG117_INTROSPECTION it says what a token is made for"
        )
    return faults
