"""Laws of what guards an EHR: the list of servers, addresses, the circuit breaker, retries, errors."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from service.adapters.ehr import faults
from service.adapters.ehr.breaker import Breaker, State
from service.adapters.ehr.exchange import is_fhir
from service.adapters.ehr.faults import HTTPX, EhrFault, of_httpx, of_status
from service.adapters.ehr.network import reachable
from service.adapters.ehr.permission import find_place, follow, permission_of
from service.adapters.ehr.retries import Retries
from service.adapters.ehr.scopes import reaches
from service.adapters.retry_after import read_retry_after
from service.domain.addresses import fault_of
from service.domain.errors import Unavailable
from service.operations.clients import Client

LISTED = "https://ehr.example.org:8443/fhir/r4"
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def client(*servers: str) -> Client:
    return Client("royal", "https://i.example", jku="https://i.example/k", servers=servers)


# --- the list of servers


@pytest.mark.parametrize("url", [LISTED, f"{LISTED}/", f"{LISTED}/tenant-1", LISTED.replace("ehr.", "EHR.")])
def test_a_listed_server_and_what_lies_below_it_may_be_asked(url: str) -> None:
    assert permission_of(client(LISTED)).server(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ehr.example.org",
        "https://ehr.example.org/fhir/r4",
        "http://ehr.example.org:8443/fhir/r4",
        "https://ehr.example.org:8443",
        "https://ehr.example.org:8443/fhir",
        f"{LISTED}5",
        f"{LISTED}/../r5",
        f"{LISTED}/%2e%2e/r5",
        f"{LISTED}/%252e%252e/r5",
        f"{LISTED}/..%2fr5",
        f"{LISTED}\\..\\r5",
        f"{LISTED}//x",
        "https://ehr.example.org:8443/other/../fhir/r4",
        "https://user:pw@ehr.example.org:8443/fhir/r4",
        "https://ehr.example.org:8443@attacker.example/fhir/r4",
        "https://attacker.example/?https://ehr.example.org",
        "https://attacker.example#@ehr.example.org:8443/fhir/r4",
        "https://ehr.example.org.:8443/fhir/r4",
        "https://ehr.example.org:8443:80/fhir/r4",
        "https://ehr.example.org:/fhir/r4",
        f"{LISTED}?x",
        f"{LISTED}#x",
        "https://еhr.example.org:8443/fhir/r4",
        "https://ehr.example.org:08443x/fhir/r4",
        f" {LISTED}",
        f"{LISTED}\n",
        "https://[::1]:8443/fhir/r4",
        "https://ehr.example.org:0/fhir/r4",
        "ftp://ehr.example.org:8443/fhir/r4",
        "https:ehr.example.org:8443/fhir/r4",
        "https:///ehr.example.org:8443/fhir/r4",
        "//ehr.example.org:8443/fhir/r4",
    ],
)
@pytest.mark.requirement(
    "FHIR Resource Access: fhirServer is called only where it is on the client's allow-list"
)
def test_whatever_else_looks_like_it_may_not(url: str) -> None:
    assert permission_of(client(LISTED)).server(url) is None


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    st.sampled_from(["", "/", "@", ".", ":"]),
)
def test_what_is_permitted_has_the_listed_origin_and_path(tail: str, joint: str) -> None:
    url = f"{LISTED}{joint}{tail}"
    if permission_of(client(LISTED)).server(url) is not None:
        parts = urlsplit(url)
        assert (parts.scheme, parts.hostname, parts.port) == ("https", "ehr.example.org", 8443)
        assert (parts.path + "/").startswith("/fhir/r4/")
        assert not {".", ".."} & set(parts.path.split("/"))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_a_link_leads_to_its_server_or_nowhere(link: str) -> None:
    url = follow(LISTED, link)
    if url is not None:
        found = httpx.URL(url)  # as the request would read it
        assert (found.scheme, found.host, found.port) == ("https", "ehr.example.org", 8443)
        assert f"{found.path}/".startswith("/fhir/r4/")
        assert ".." not in found.path.split("/")


@given(st.from_regex(r"https?://[a-z0-9.@:\[\]%/\\-]{1,40}", fullmatch=True))
def test_an_address_is_read_as_httpx_reads_it(url: str) -> None:
    place = find_place(url)
    if place is not None:
        parsed = httpx.URL(url)
        assert (
            parsed.scheme,
            parsed.host,
            parsed.port or {"https": 443, "http": 80}[parsed.scheme],
        ) == place.origin
        assert parsed.userinfo == b""


def test_without_a_client_only_servers_of_this_machine_may_be_asked() -> None:
    own = permission_of(None)
    for url in ("http://127.0.0.1:8080/fhir", "http://localhost/fhir", "https://[::1]:1/x"):
        assert own.server(url) is not None
    for url in (
        "http://10.0.0.1/fhir",
        "https://ehr.example.org/fhir",
        "http://localhost.example.org/",
        "http://0.0.0.0/",
    ):
        assert own.server(url) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://a.example/x", None),
        ("http://127.0.0.1:8000/x", None),
        ("http://localhost/x", None),
        ("http://a.example/x", "is not https: what goes there could be read on the way"),
        ("https://", "is not an https address"),
        ("x", "is not an https address"),
        ("https://[x", "is not an address"),
        ("https://a:b/", "is not an address"),
        ("https://u@a.example", "carries a name or password; take it out"),
        ("https://a.example/?", "carries a query or fragment; take it out"),
        ("https://a.example/#x", "carries a query or fragment; take it out"),
        ("https://a.example/a b", "holds characters that an address cannot hold"),
        ("https://a.example/%2E./b", "holds dot segments; write the path out"),
    ],
)
def test_an_address_of_the_configuration_is_judged(url: str, said: str | None) -> None:
    assert fault_of(url) == said


# --- addresses


@pytest.mark.parametrize(
    ("address", "host", "open_", "private"),
    [
        ("93.184.215.14", "ehr.example.org", True, True),
        ("2606:2800:220:1::1", "ehr.example.org", True, True),
        ("10.1.2.3", "ehr.example.org", False, True),
        ("172.16.0.1", "ehr.example.org", False, True),
        ("192.168.1.1", "ehr.example.org", False, True),
        ("100.64.0.1", "ehr.example.org", False, True),
        ("fd00::1", "ehr.example.org", False, True),
        ("::ffff:10.1.2.3", "ehr.example.org", False, True),
        ("64:ff9b::a01:203", "ehr.example.org", False, True),
        ("2002:a01:203::1", "ehr.example.org", False, True),
        ("127.0.0.1", "ehr.example.org", False, False),
        ("::1", "ehr.example.org", False, False),
        ("::ffff:127.0.0.1", "ehr.example.org", False, False),
        ("64:ff9b::7f00:1", "ehr.example.org", False, False),
        ("169.254.169.254", "ehr.example.org", False, False),
        ("::ffff:169.254.169.254", "ehr.example.org", False, False),
        ("fe80::1", "ehr.example.org", False, False),
        ("0.0.0.0", "ehr.example.org", False, False),  # noqa: S104
        ("::", "ehr.example.org", False, False),
        ("224.0.0.1", "ehr.example.org", False, False),
        ("ff02::1", "ehr.example.org", False, False),
        ("127.0.0.1", "127.0.0.1", True, True),
        ("::1", "localhost", True, True),
        ("10.1.2.3", "localhost", False, False),
        ("93.184.215.14", "localhost", False, False),
        ("fe80::1%eth0", "ehr.example.org", False, False),
        ("not an address", "ehr.example.org", False, False),
    ],
)
@pytest.mark.requirement("FHIR Resource Access: no private address is called unless it is listed as such")
def test_only_addresses_that_may_be_are_connected_to(
    address: str, host: str, open_: bool, private: bool
) -> None:
    assert reachable(address, host, private=False) is open_
    assert reachable(address, host, private=True) is private


# --- the breaker


class Breaking(RuleBasedStateMachine):
    """A breaker beside the plainest account of what it must do."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(failures=3, pause=10)
        self.now = 0.0
        self.running = 0
        self.opened: float | None = None
        self.tried: float | None = None

    @rule(seconds=st.floats(0.1, 15))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(ends=st.sampled_from(["well", "badly", "never"]))
    def a_call_is_made(self, ends: str) -> None:
        rests = self.opened is not None and self.now < self.opened + 10
        waits = self.tried is not None and self.now < self.tried + 10
        admitted = self.breaker.admits(self.now)
        assert admitted is not (rests or waits)
        if not admitted:
            return
        trying = self.opened is not None
        self.tried = self.now if trying else None
        if ends == "well":
            self.breaker.succeed()
            self.running, self.opened, self.tried = 0, None, None
        elif ends == "badly":
            self.breaker.fail(self.now)
            self.running += 1
            if trying or self.running >= 3:
                self.opened, self.tried = self.now, None

    @precondition(lambda self: self.breaker.state is State.OPEN)
    @rule()
    def a_late_failure_changes_nothing(self) -> None:
        self.breaker.fail(self.now)

    @invariant()
    def it_is_closed_unless_it_failed_three_times_running(self) -> None:
        assert (self.breaker.state is State.CLOSED) == (self.opened is None)


TestBreaking = Breaking.TestCase


# --- retries


@given(st.floats(0, 1), st.integers(1, 9), st.none() | st.floats(0, 100), st.floats(0, 100))
def test_a_pause_keeps_what_was_asked_and_ends_before_the_answer_is_due(
    chance: float, attempt: int, asked: float | None, left: float
) -> None:
    pause = Retries(attempts=4, first=0.1, chance=lambda: chance).pause(attempt, asked, left)
    if pause is not None:
        assert attempt < 4
        assert (asked or 0) <= pause < left
        assert pause - (asked or 0) <= 0.1 * 2 ** (attempt - 1) + 1e-9


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("٧", None),
        ("Sat, 21 Nov 2026 12:00:30 -0000", None),
        ("9" * 400, 999_999_999.0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999999999999", None),
    ],
)
def test_retry_after_is_read(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, NOW) == seconds


# --- errors


def _all_of_httpx() -> list[type[Exception]]:
    found = {kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, Exception)}
    todo = list(found)
    while todo:
        more = set(todo.pop().__subclasses__()) - found
        found |= more
        todo += more
    return sorted(found, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", _all_of_httpx(), ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_becomes_one_of_ours(kind: type[Exception]) -> None:
    assert issubclass(kind, HTTPX)
    raised = kind.__new__(kind, "https://ehr.example.org/fhir/Patient/9990000018 Bearer SECRET")
    fault = of_httpx(raised)
    assert isinstance(fault, EhrFault)
    assert isinstance(fault, Unavailable)
    assert fault.reason in _REASONS
    assert "9990000018" not in repr((str(fault), fault.issues))


_REASONS = {value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str)}


def test_httpx_has_the_exceptions_that_are_mapped_by_name() -> None:
    assert len(_all_of_httpx()) >= 27
    assert of_httpx(httpx.ReadTimeout("x")).reason == faults.SLOW
    assert of_httpx(httpx.PoolTimeout("x")).counts is False
    assert (of_httpx(httpx.ConnectError("x")).again, of_httpx(httpx.ConnectError("x")).counts) == (True, True)


@given(st.integers(100, 599).filter(lambda status: not 200 <= status < 300))
def test_every_status_has_a_reason(status: int) -> None:
    fault = of_status(status, None)
    assert fault.reason in _REASONS
    assert fault.counts is (status >= 500)
    assert fault.denied is (status in (401, 403))
    assert fault.again is (status in (429, 502, 503, 504))


# --- scopes and media types


@pytest.mark.parametrize(
    ("scopes", "read", "search"),
    [
        ("", True, True),
        ("openid launch", True, True),
        ("patient/*.read", True, True),
        ("user/*.*", True, True),
        ("patient/Condition.rs", True, True),
        ("patient/Condition.r", True, False),
        ("system/Condition.s", False, True),
        ("patient/Condition.cruds", True, True),
        ("patient/Condition.write", False, False),
        ("patient/Observation.read", False, False),
        ("patient/Condition.rs?category=x", True, True),
        ("patient/Condition", False, False),
        ("user/*.cud", False, False),
    ],
)
def test_scopes_of_both_versions_are_read(scopes: str, read: bool, search: bool) -> None:
    given_ = frozenset(scopes.split())
    assert reaches(given_, "Condition", searching=False) is read
    assert reaches(given_, "Condition", searching=True) is search


@pytest.mark.parametrize(
    ("said", "fhir"),
    [
        ("application/fhir+json", True),
        ("application/fhir+json; charset=UTF-8", True),
        ("application/json", True),
        ('application/fhir+json;charset="utf-8";fhirVersion=4.0', True),
        ("APPLICATION/FHIR+JSON", True),
        ("application/fhir+json; fhirVersion=3.0", False),
        ("application/fhir+json; charset=latin-1", False),
        ("text/json", False),
        ("text/html", False),
        ("", False),
        ("application/fhir+xml", False),
    ],
)
def test_a_media_type_is_judged(said: str, fhir: bool) -> None:
    assert is_fhir(said) is fhir
