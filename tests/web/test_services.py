"""The service's own address, as a request names it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

if TYPE_CHECKING:
    from service.web.services import Services
    from tests.web.conftest import Client

HOSTS = st.sampled_from(
    [
        b"ehr.example.org",
        b"EHR.example.org:8443",
        b"[::1]:8000",
        b"a b",
        b"",
        b"x:y",
        b"x/@y",
        b"h:99999",
        b"\xe9",
    ]
)


def own(client: Client) -> Services:
    held: Services = client.app.state.services
    return held


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scheme=st.sampled_from(["http", "https"]),
    hosts=st.lists(HOSTS, max_size=2),
    server=st.sampled_from([None, ("127.0.0.1", 80), ["::1", 8000], ("cds.example.org", 443)]),
    root_path=st.sampled_from(["", "/", "/cds", "/a b/?#"]),
)
def test_it_is_what_starlette_makes_of_scheme_host_and_path(
    client: Client, scheme: str, hosts: list[bytes], server: Any, root_path: str
) -> None:
    scope = {
        "type": "http", "scheme": scheme, "server": server, "root_path": root_path, "path": "/x",
        "query_string": b"y=1", "headers": [(b"accept", b"*/*"), *((b"host", host) for host in hosts)],
    }  # fmt: skip
    expected = str(Request(dict(scope)).base_url).rstrip("/")
    assert own(client).root(Request(dict(scope))) == expected


def test_the_configured_address_stands_before_what_a_request_names(client: Client) -> None:
    held = dataclasses.replace(own(client), base_url="https://cds.example.org/htg117/")
    scope = {"type": "http", "scheme": "http", "headers": [(b"host", b"other")], "path": "/"}
    assert held.root(Request(scope)) == "https://cds.example.org/htg117"
    assert held.base(Request(scope)) == "https://cds.example.org/htg117/fhir"
