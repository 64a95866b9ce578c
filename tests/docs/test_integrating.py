"""docs/integrating.md: its Python makes a key and a token that the service takes for the client's."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from service.adapters.cds_clients import CdsClients
from service.adapters.client_file import read_clients
from tests.docs.test_readme import GUIDE, ROOT

if TYPE_CHECKING:
    from pathlib import Path

MAKING, SIGNING = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
CLIENT = """
[royal-example]
issuer = "https://ehr.royal.example"
jwks = "royal-example.jwks.json"
servers = ["https://ehr.royal.example/fhir/r4"]
"""


def printed(code: str, folder: Path) -> str:
    """What the code prints, run in the folder; AssertionError where it fails."""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_the_key_and_the_token_of_the_page_are_taken(tmp_path: Path) -> None:
    printed(MAKING, tmp_path)
    token = printed(f"{SIGNING}\nprint(token)", tmp_path)
    (tmp_path / "clients.toml").write_text(CLIENT, encoding="utf-8")
    guard = CdsClients(read_clients(tmp_path / "clients.toml"), time.time)
    caller = asyncio.run(guard.judge(token, "https://cds.example.org/cds-services/htg117-order-sign"))
    assert caller.client is not None
    assert (caller.client.name, caller.tenant) == ("royal-example", None)


def test_the_least_client_of_the_page_is_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    (tmp_path / "clients.toml").write_text(shown, encoding="utf-8")
    (client,) = read_clients(tmp_path / "clients.toml")
    assert (client.name, client.issuer) == ("royal-example", "https://ehr.royal.example")
    examples = read_clients(ROOT / "docs" / "examples" / "clients.toml")
    assert [one.name for one in examples] == ["royal-example", "general-example"]
