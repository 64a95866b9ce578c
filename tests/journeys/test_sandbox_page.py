"""The public CDS Hooks sandbox, as far as it can be here: a page of its origin in a real browser.

The page is answered from this file; origin, preflights, mixed content and what a script may read are the
browser's own. The requests have the form of the sandbox's: a token of its own signed with ES256, its open
FHIR server, prefetch without the keys that failed, orders for imaging. ``docs/integrating.md`` walks
through it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.journeys.test_browser import browser
from tests.web.test_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

__all__ = ["browser"]
pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SANDBOX = "https://sandbox.cds-hooks.org"
PATIENT = "smart-1288992"
KEY = ECKey.generate_key("P-256", {"kid": "of-the-sandbox"})
ASK = """async ({method, url, headers, body}) => {
    const answer = await fetch(url, {method, headers, body: body && JSON.stringify(body)});
    const text = await answer.text(), id = answer.headers.get("X-Request-ID");
    return {status: answer.status, body: text ? JSON.parse(text) : null, id};
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("sandbox") / "r.sqlite3", HTG117_CORS_ORIGINS=SANDBOX) as (_, found):
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.grant_permissions(["local-network-access"])  # which a person is asked for
    made = context.new_page()
    made.route(
        f"{SANDBOX}/**", lambda route: route.fulfill(content_type="text/html", body="<title>x</title>")
    )
    made.goto(f"{SANDBOX}/")
    yield made
    context.close()


def token(endpoint: str) -> str:
    """A token as the sandbox makes them: for the endpoint, of its own key."""
    now = int(time.time())
    claims = {"iss": SANDBOX, "sub": "a", "aud": endpoint, "exp": now + 300, "iat": now, "jti": str(now)}
    header = {"alg": "ES256", "typ": "JWT", "kid": KEY.kid, "jku": f"{SANDBOX}/.well-known/jwks.json"}
    return jwt.encode(header, claims, KEY, algorithms=["ES256"])


def ask(page: Page, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a script of the page gets to see."""
    headers = {"Accept": "application/json", "Authorization": f"Bearer {token(url)}"}
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    method = "GET" if body is None else "POST"
    seen: dict[str, Any] = page.evaluate(
        ASK, {"method": method, "url": url, "headers": headers, "body": body}
    )
    assert seen["id"]
    return seen


def hook(name: str, keys: tuple[str, ...], **context: Any) -> dict[str, Any]:
    """A request in the sandbox's form; each key of the prefetch is an empty answer of its FHIR server."""
    nothing = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    held = {key: nothing for key in keys if key != "patient"}
    patient = {"resourceType": "Patient", "id": PATIENT, "gender": "female"}
    return {
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "hook": name,
        "fhirServer": "https://launch.example.org/v/r4/fhir",
        "context": {"patientId": PATIENT, "userId": "Practitioner/example", **context},
        "prefetch": held | ({"patient": patient} if "patient" in keys else {}),
    }


def test_the_page_finds_the_services(page: Page, address: str) -> None:
    found = ask(page, f"{address}/cds-services")
    assert found["status"] == 200
    hooks = ["encounter-discharge", "order-dispatch", "order-select", "order-sign", "patient-view"]
    assert sorted(one["hook"] for one in found["body"]["services"]) == hooks


def test_the_page_opens_a_record(page: Page, address: str) -> None:
    """Nothing of the patient: no card. Something: a card. A key that its server did not answer: 412."""
    service = next(
        one
        for one in ask(page, f"{address}/cds-services")["body"]["services"]
        if one["hook"] == "patient-view"
    )
    url, keys = f"{address}/cds-services/{service['id']}", tuple(service["prefetch"])
    nothing = ask(page, url, hook("patient-view", keys))
    assert (nothing["status"], nothing["body"]) == (200, {"cards": []})
    unanswered = ask(page, url, hook("patient-view", keys[:-1]))
    assert unanswered["status"] == 412
    assert [one["expression"] for one in unanswered["body"]["issue"]] == [[f"prefetch.`{keys[-1]}`"]]
    file = ROOT / "profiles/htg117/examples/QuestionnaireResponse-example-follow-up.json"
    form = json.loads(file.read_text(encoding="utf-8"))
    form = {name: value for name, value in form.items() if name not in ("id", "identifier")}
    sent = httpx.post(
        f"{address}/fhir/QuestionnaireResponse/$submit",
        json=form | {"subject": {"reference": f"Patient/{PATIENT}"}},
        headers={"Content-Type": "application/fhir+json"},
    )
    assert sent.status_code == 200
    shown = ask(page, url, hook("patient-view", keys))
    assert (shown["status"], len(shown["body"]["cards"]) > 0) == (200, True)


@pytest.mark.parametrize("name", ["order-select", "order-sign"])
def test_the_page_orders_imaging(page: Page, address: str, name: str) -> None:
    """What the sandbox can order is not about the guidance: no card, and nothing of the record is needed."""
    order = {
        "resourceType": "ServiceRequest",
        "id": "example",
        "status": "draft",
        "intent": "plan",
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "72133"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    drafts = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    body = hook(name, (), draftOrders=drafts, selections=["ServiceRequest/example"])
    found = ask(page, f"{address}/cds-services/htg117-{name}", body)
    assert (found["status"], found["body"]) == (200, {"cards": []})


def test_another_page_sees_nothing(browser: Browser, address: str) -> None:
    context = browser.new_context()
    context.grant_permissions(["local-network-access"])
    other = context.new_page()
    other.route("https://other.example/**", lambda route: route.fulfill(content_type="text/html", body="x"))
    other.goto("https://other.example/")
    caught = "async (url) => { try { await fetch(url); return 'seen' } catch (fault) { return fault.name } }"
    assert other.evaluate(caught, f"{address}/cds-services") == "TypeError"
    context.close()
