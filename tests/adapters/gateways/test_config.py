"""The ``[gateway]`` table: what may stand in it, and what is said of what may not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service.adapters.gateways.config import Gateway, read
from service.operations.deliver import Patience

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with the files and folders that tables name."""
    for name in ("out", "in"):
        (tmp_path / name).mkdir()
    for name in ("cert.pem", "key.pem", "secret"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    return tmp_path


def judged(table: dict[str, Any], base: Path) -> list[str]:
    faults: list[str] = []
    read(table, base, faults)
    return faults


def test_without_a_table_a_person_submits(base: Path) -> None:
    faults: list[str] = []
    assert (read({}, base, faults), faults) == (Gateway(kind="none"), [])


def test_a_sound_table_is_read_with_its_paths_beside_the_site_file(base: Path) -> None:
    faults: list[str] = []
    table = {
        "kind": "folder",
        "folder": "out",
        "inbox": "in",
        "first": 10,
        "longest": 600,
        "tries": 7,
        "days": 2,
    }
    gateway = read(table, base, faults)
    assert faults == []
    assert gateway == Gateway(
        kind="folder", folder=base / "out", inbox=base / "in", first=10, longest=600, tries=7, days=2
    )
    assert gateway.patience == Patience(timedelta(seconds=10), timedelta(seconds=600), 7, timedelta(days=2))
    http = {
        "kind": "http", "url": "https://gateway.example.org/in", "cert": "cert.pem", "key": "key.pem",
        "token_url": "https://login.example.org/token", "client_id": "c", "secret_file": "secret",
        "present": [409],
    }  # fmt: skip
    assert read(http, base, faults) == Gateway(
        kind="http", url="https://gateway.example.org/in", cert=base / "cert.pem", key=base / "key.pem",
        token_url="https://login.example.org/token", client_id="c", secret_file=base / "secret",
        present=(409,),
    )  # fmt: skip
    assert faults == []


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "as2"}, "gateway.kind is one of none, folder, http, not 'as2'"),
        ({"kind": 1}, "gateway.kind is a text"),
        ({"kind": "none", "folder": "out"}, 'gateway.folder has no meaning with kind = "none"'),
        ({"kind": "folder"}, "gateway.folder is missing"),
        ({"kind": "folder", "folder": "gone"}, "which is no folder"),
        ({"kind": "folder", "folder": "out", "inbox": "out"}, "gateway.inbox is the same folder as folder"),
        ({"kind": "folder", "folder": "out", "url": "https://x.example.org"}, "gateway.url has no meaning"),
        ({"kind": "http"}, "gateway.url is missing"),
        ({"kind": "http", "url": "http://gateway.example.org"}, "gateway.url is not https"),
        (
            {"kind": "http", "url": "https://u:p@gateway.example.org"},
            "gateway.url carries a name or password",
        ),
        ({"kind": "http", "url": "https://g.example.org", "cert": "cert.pem"}, "gateway.cert goes together"),
        (
            {"kind": "http", "url": "https://g.example.org", "cert": "no", "key": "key.pem"},
            "which is no file",
        ),
        (
            {"kind": "http", "url": "https://g.example.org", "client_id": "c"},
            "gateway.token_url goes together",
        ),
        ({"kind": "http", "url": "https://g.example.org", "scope": "s"}, "gateway.scope has no meaning"),
        (
            {"kind": "http", "url": "https://g.example.org", "id_header": "X Y"},
            "gateway.id_header is the name",
        ),
        ({"kind": "http", "url": "https://g.example.org", "present": [200]}, "gateway.present is a list"),
        ({"kind": "http", "url": "https://g.example.org", "present": [True]}, "gateway.present is a list"),
        ({"kind": "http", "url": ""}, "gateway.url is a text"),
        ({"tries": 0}, "gateway.tries is a whole number from 1 to 10000"),
        ({"tries": True}, "gateway.tries is a whole number"),
        ({"first": 60, "longest": 30}, "gateway.first is longer than longest"),
        ({"retries": 3}, "gateway.retries is not a setting"),
    ],
)
def test_what_is_wrong_is_said_with_its_name(table: dict[str, Any], said: str, base: Path) -> None:
    (fault,) = judged(table, base)
    assert said in fault


def test_all_faults_are_said_at_once(base: Path) -> None:
    assert len(judged({"tries": 0, "days": 0, "retries": 1, "kind": ""}, base)) == 4
