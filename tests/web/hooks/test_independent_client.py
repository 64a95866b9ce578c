"""A CDS Hooks client that others wrote drives the running service: HealthChain's sandbox client."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.test_process import serving
from tools import healthchain

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
CLIENT = Path(__file__).with_name("healthchain_client.py")
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("independent") / "r.sqlite3") as (_, found):
        yield found


def send(address: str, name: str) -> Any:
    """What HealthChain's client makes of the answer to an example's request."""
    python, reason = healthchain.python()
    if python is None:
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    example = json.loads((ROOT / "docs" / "examples" / f"{name}.json").read_text(encoding="utf-8"))
    # it leaves out what is null, so that "no data" is sent as an empty page
    prefetch = {key: value or EMPTY for key, value in example["prefetch"].items()}
    asked = {
        "url": f"{address}/cds-services/htg117-{example['hook']}",
        "workflow": example["hook"],
        "context": example["context"],
        "prefetch": prefetch,
    }
    done = subprocess.run(
        [str(python), str(CLIENT)], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
def test_it_signs_an_order_and_gets_the_card(address: str) -> None:
    (answer,) = send(address, "order-sign")
    (card,) = answer["cards"]
    assert "Percutaneous cementoplasty of the sacrum" in card["summary"]
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["suggestions"]


@pytest.mark.slow
def test_it_opens_a_patients_record(address: str) -> None:
    assert send(address, "patient-view") == [{"cards": []}]
