"""What is kept of a patient: whoever the searches find something of is among the subjects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.cds.patients import Whose
from service.fhir.json_text import encode
from service.operations.advise import KEPT
from service.operations.advise.recorded import find, names_of
from service.operations.ports import Write

if TYPE_CHECKING:
    from service.adapters.records import Store

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
SERVERS = ("https://one.example/fhir", "https://two.example/fhir")
PATIENTS = ("Patient/p1", "Patient/p2", "Patient/9990000018")
SYSTEMS = ("https://fhir.nhs.uk/Id/nhs-number", "urn:hospital")
VALUES = ("9990000018", "p1", "")

REFERENCES = st.sampled_from([*PATIENTS, *(f"{server}/{one}" for server in SERVERS for one in PATIENTS)])
IDENTIFIERS = st.fixed_dictionaries({"system": st.sampled_from(SYSTEMS), "value": st.sampled_from(VALUES)})
SUBJECTS = st.fixed_dictionaries({}, optional={"reference": REFERENCES, "identifier": IDENTIFIERS})
WHOSE = st.builds(
    Whose,
    st.sampled_from(PATIENTS),
    st.lists(st.sampled_from(SERVERS), unique=True, max_size=2).map(tuple),
    st.none() | st.dictionaries(st.sampled_from(SYSTEMS), st.sampled_from(VALUES)),
    st.booleans(),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(KEPT), SUBJECTS), max_size=3), st.lists(WHOSE, min_size=1, max_size=6)
)
def test_whoever_something_is_found_of_is_among_the_subjects(
    store: Store, kept: list[tuple[str, dict[str, Any]]], asked: list[Whose]
) -> None:
    made: list[dict[str, Any]] = [
        {"resourceType": type_, "id": str(at), "subject": subject} for at, (type_, subject) in enumerate(kept)
    ]
    store.commit([Write(one["resourceType"], one["id"], one, encode(one)) for one in made], NOW)
    for whose in asked:
        found = [one for type_ in KEPT for one in find(type_, whose, (), 20, store)]
        named = store.subjects(KEPT, frozenset(names_of(whose)))
        assert named or not found
    gone = [Write(one["resourceType"], one["id"], None) for one in made]
    store.commit(gone, NOW)
    assert store.subjects(KEPT, frozenset(name for whose in asked for name in names_of(whose))) == frozenset()
