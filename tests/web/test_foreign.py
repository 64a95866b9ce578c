"""What a page of another site makes a browser send changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.reports.conftest import events_of, the_form

if TYPE_CHECKING:
    from tests.web.conftest import Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def case(client: Client) -> str:
    """A draft."""
    events_of(client, the_form())
    return str(client.get("/reports?branch=device").json()["reports"][0]["case"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    ],
)
def test_a_page_of_another_site_takes_no_step(client: Client, case: str, headers: dict[str, str]) -> None:
    before = client.get(f"/reports/{case}").json()
    event = f"/fhir/{before['report']['events'][0]['reference']}/$yellow-card"
    for address in (f"/reports/{case}/ready", event):
        refused = client.post(address, headers=FORM | headers)
        assert refused.status_code == 403, refused.text
        assert "a page of another site" in refused.json()["issue"][0]["diagnostics"]
    assert client.get(f"/reports/{case}").json() == before
    assert client.get(f"/reports/{case}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://testserver"},
        {"Origin": "https://elsewhere.example.org", "Authorization": "Bearer x"},
    ],
)
def test_software_and_own_pages_take_steps(client: Client, case: str, headers: dict[str, str]) -> None:
    assert client.post(f"/reports/{case}/ready", headers=headers).json()["state"] == "ready"
