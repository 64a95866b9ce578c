"""The settings: read from an environment, judged all at once, and each described in the README."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from service.domain.addresses import loopback
from service.settings import Settings, SettingsFault, read

README = Path(__file__).parents[1] / "README.md"


def test_an_empty_environment_is_development_on_loopback() -> None:
    assert read({"PATH": "/bin", "HTG117_PORT": ""}) == Settings()
    assert Settings().development


def test_every_setting_is_read_from_its_variable(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    found = read(
        {
            "HTG117_HOST": "0.0.0.0",  # noqa: S104
            "HTG117_PORT": "9000",
            "HTG117_BASE_URL": "https://fhir.example.org",
            "HTG117_DATABASE_URL": "postgresql://u@h/d",
            "HTG117_CONTENT": str(tmp_path),
            "HTG117_CACHE": "/tmp/c",
            "HTG117_ISSUERS": "https://a.example.org, https://b.example.org",
            "HTG117_AUDIENCE": "https://fhir.example.org",
            "HTG117_INTROSPECTION": "https://a.example.org/introspect",
            "HTG117_INTROSPECTION_CLIENT": "htg117",
            "HTG117_INTROSPECTION_SECRET": str(file),
            "HTG117_CLIENTS": str(file),
            "HTG117_EHR_MILLISECONDS": "300",
            "HTG117_HOOK_MILLISECONDS": "900",
            "HTG117_CORS_ORIGINS": "https://ehr.example.org, http://localhost:8080",
            "HTG117_RATE_LIMIT": "60",
            "HTG117_BODY_SECONDS": "3",
            "HTG117_MAX_BODY": "1000",
            "HTG117_MAX_DEPTH": "20",
            "HTG117_LOG_LEVEL": "debug",
            "HTG117_SHUTDOWN_SECONDS": "5",
        }
    )
    assert found == Settings(
        host="0.0.0.0",  # noqa: S104
        port=9000,
        base_url="https://fhir.example.org",
        database_url="postgresql://u@h/d",
        content=str(tmp_path),
        cache="/tmp/c",
        issuers=("https://a.example.org", "https://b.example.org"),
        audience="https://fhir.example.org",
        introspection="https://a.example.org/introspect",
        introspection_client="htg117",
        introspection_secret=str(file),
        clients=str(file),
        ehr_milliseconds=300,
        hook_milliseconds=900,
        cors_origins=("https://ehr.example.org", "http://localhost:8080"),
        rate_limit=60,
        body_seconds=3,
        max_body=1000,
        max_depth=20,
        log_level="debug",
        shutdown_seconds=5,
    )
    assert (found.development, found.content_folders) == (False, (tmp_path,))


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(SettingsFault) as raised:
        read(
            {
                "HTG117_HOST": "192.0.2.1",
                "HTG117_PORT": "70000",
                "HTG117_LOG_LEVEL": "loud",
                "HTG117_X": "1",
                "HTG117_DATABASE_URL": "mysql://x",
                "HTG117_CONTENT": "/nowhere",
                "HTG117_BASE_URL": "x",
            }
        )
    told = str(raised.value)
    for name in ("HOST", "PORT", "LOG_LEVEL", "X", "DATABASE_URL", "CONTENT", "BASE_URL"):
        assert f"HTG117_{name}" in told
    assert len(told.splitlines()) == 7


def test_what_asks_about_opaque_tokens_is_whole_or_the_start_is_refused() -> None:
    with pytest.raises(SettingsFault) as raised:
        read({"HTG117_INTROSPECTION": "http://issuer.example.org/introspect"})
    assert [line.split(":")[0].split(" ")[0] for line in str(raised.value).splitlines()] == [
        "HTG117_INTROSPECTION", "HTG117_INTROSPECTION_CLIENT", "HTG117_INTROSPECTION_SECRET",
        "HTG117_AUDIENCE",
    ]  # fmt: skip
    with pytest.raises(SettingsFault, match="HTG117_INTROSPECTION_CLIENT is of use only with"):
        read({"HTG117_INTROSPECTION_CLIENT": "htg117"})
    with pytest.raises(SettingsFault, match="HTG117_CLIENTS: /nowhere is no file"):
        read({"HTG117_CLIENTS": "/nowhere"})


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("ehr", False)]  # noqa: S104
)  # fmt: skip
def test_loopback_is_told(host: str, own: bool) -> None:
    assert loopback(host) is own


def test_the_readme_has_every_setting_and_no_other() -> None:
    told = set(re.findall(r"^\| `(HTG117_[A-Z_]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert told == {f"HTG117_{field.name.upper()}" for field in fields(Settings)}


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"HTG117_EHR_MILLISECONDS": "600"}, "HTG117_EHR_MILLISECONDS is part of HTG117_HOOK_MILLISECONDS"),
        ({"HTG117_CORS_ORIGINS": "*"}, r"'\*' is not an https origin"),
        ({"HTG117_CORS_ORIGINS": "http://ehr.example.org"}, "is not an https origin"),
        ({"HTG117_CORS_ORIGINS": "https://ehr.example.org/"}, "is not an https origin"),
        ({"HTG117_RATE_LIMIT": "-1"}, "HTG117_RATE_LIMIT is a whole number from 0"),
    ],
)
def test_what_cannot_be_of_cds_hooks_is_told(environment: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsFault, match=told):
        read(environment)


def test_clients_elsewhere_need_the_public_address_that_their_tokens_name(tmp_path: Path) -> None:
    file = tmp_path / "clients.toml"
    file.touch()
    far = {"HTG117_CLIENTS": str(file), "HTG117_HOST": "ehr", "HTG117_AUDIENCE": "a"}
    far |= {"HTG117_ISSUERS": "https://a.example.org"}
    with pytest.raises(SettingsFault, match="HTG117_BASE_URL is missing"):
        read(far)
    assert read(far | {"HTG117_BASE_URL": "https://cds.example.org"}).clients == str(file)
