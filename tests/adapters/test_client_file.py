"""The file of clients: what it says is read, and all that is wrong with it is told at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from service.adapters.client_file import read_clients
from service.adapters.keys import read_keys
from service.domain.errors import ContentFault
from service.operations.clients import Backend, Client

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
KEY = ECKey.generate_key("P-384", {"kid": "ours"})


def write(folder: Path, text: str, **files: Any) -> Path:
    for name, held in files.items():
        (folder / f"{name}.json").write_text(json.dumps(held), encoding="utf-8")
    path = folder / "clients.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ContentFault) as raised:
        read_clients(path)
    return [str(issue) for issue in raised.value.issues]


def test_the_example_is_read() -> None:
    royal, general = read_clients(EXAMPLES / "clients.toml")
    assert royal == Client(
        name="royal-example",
        issuer="https://ehr.royal.example",
        jku="https://ehr.royal.example/.well-known/jwks.json",
        tenants=("royal-infirmary", "royal-childrens"),
        servers=("https://ehr.royal.example/fhir/r4",),
        form_app="https://forms.royal.example/launch",
        local_references=True,
    )
    assert general == Client(
        name="general-example",
        issuer="https://cds.general.example/client",
        jwks=json.loads((EXAMPLES / "general-example.jwks.json").read_text(encoding="utf-8")),
        algorithms=("ES384",),
        servers=("https://10.20.30.40:8443/fhir",),
        private=True,
    )


def test_the_examples_backend_is_read_once_its_key_is_there(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    before, _, rest = (tmp_path / "clients.toml").read_text(encoding="utf-8").partition("#\n# [royal")
    (tmp_path / "clients.toml").write_text(before + "[royal" + rest.replace("# ", ""), encoding="utf-8")
    (tmp_path / "htg117-private.jwk.json").write_text(json.dumps(KEY.as_dict(private=True)), "utf-8")
    royal, general = read_clients(tmp_path / "clients.toml")
    assert royal.backend == Backend(
        server="https://ehr.royal.example/fhir/r4",
        client_id="htg117",
        token_url="https://ehr.royal.example/oauth2/token",
        key=str(tmp_path / "htg117-private.jwk.json"),
        scopes="system/*.cruds",
        write_back=True,
    )
    assert general.backend is None


def test_every_fault_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        stray = 1
        [Royal]
        issuer = "https://a.example"
        jku = "http://a.example/keys"
        algorithms = ["HS256", "none"]
        servers = ["http://ehr.example/fhir", "https://u:p@ehr.example/fhir", "https://ehr.example/../x"]
        colour = "blue"
        revision = "2"
        local_references = true
        [second]
        issuer = "https://a.example"
        revision = 4
        private = 1
        local_references = true
        [third]
        jwks = "missing.json"
        issuer = ""
        [fourth]
        issuer = "https://d.example"
        jwks = "secret.json"
        algorithms = []
        [fourth.backend]
        server = "ftp://ehr.example"
        client_id = "x"
        key = "public.json"
        """,
        secret={"keys": [KEY.as_dict(private=True)]},
        public=KEY.as_dict(private=False),
    )
    took = "ES256, ES384, ES512, PS256, PS384, PS512, RS256, RS384, RS512"
    known = "algorithms, backend, form_app, issuer, jku, jwks, local_references, private, revision, servers, "
    owner = "only one client can own the relative references"
    known += "system_actions, tenants"
    unsafe = "is not https: what goes there could be read on the way"
    no_keys = "no keys: give jku (where the client publishes its JWK Set) or jwks (a file that holds it)"
    assert faults(path) == [
        "stray: stands outside a table; begin with the client's name: [its-name]",
        "Royal: a client's name has small letters, digits and hyphens, 64 at most",
        f"Royal.colour: is no key here; these are: {known}",
        "Royal.revision: is a whole number",
        f"Royal.algorithms: takes asymmetrical algorithms alone ({took}), not 'HS256, none'",
        f"Royal.jku: 'http://a.example/keys' {unsafe}",
        f"Royal.servers[0]: 'http://ehr.example/fhir' {unsafe}",
        "Royal.servers[1]: 'https://u:p@ehr.example/fhir' carries a name or password; take it out",
        "Royal.servers[2]: 'https://ehr.example/../x' holds dot segments; write the path out",
        "second.private: is true or false",
        f"second: {no_keys}",
        "second.revision: is 2 or 3 (CDS Hooks' major version), not 4",
        "third.issuer: is a text in quotes",
        "third.jwks: 'missing.json' cannot be read: No such file or directory",
        "fourth.jwks: 'secret.json' holds a private key; it is the client's secret: keep the public parts",
        "fourth.backend.token_url: is missing",
        "fourth.backend.server: 'ftp://ehr.example' is not an https address",
        "fourth.backend.key: 'public.json' is a public key: what is signed with is the private one",
        f"fourth.algorithms: takes asymmetrical algorithms alone ({took}), not ''",
        "Royal.issuer: another client has the issuer 'https://a.example' too",
        "second.issuer: another client has the issuer 'https://a.example' too",
        f"second.local_references: {owner}; these claim them: Royal, second",
    ]


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"keys": []}, "holds no key that can verify"),
        ({"keys": "x"}, "not a JWK Set"),
        ({"kty": "EC"}, "not a JWK Set"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}, "holds no key that can verify"),
        ({"keys": [KEY.as_dict(private=False) | {"use": "enc"}]}, "holds no key that can verify"),
        ({"keys": [{"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}]}, "holds no key that can verify"),
    ],
)
@pytest.mark.requirement("Trusting CDS Clients: symmetrical and weak keys are not taken")
def test_a_key_set_without_a_key_to_trust_is_a_fault(tmp_path: Path, held: Any, said: str) -> None:
    path = write(tmp_path, '[a]\nissuer = "https://a.example"\njwks = "keys.json"\n', keys=held)
    assert [said in fault for fault in faults(path)] == [True]


@pytest.mark.parametrize(
    ("key", "algorithm", "said"),
    [
        (
            OctKey.generate_key(256, {"kid": "s"}).as_dict(),
            "ES384",
            "is no JWK of type EC, which ES384 needs",
        ),
        (RSAKey.generate_key(2048, {"kid": "s"}).as_dict(private=True), "ES384", "is no JWK of type EC"),
        (KEY.as_dict(private=True), "RS384", "is no JWK of type RSA, which RS384 needs"),
        (KEY.as_dict(private=True), "ES256", "does not fit ES256"),
        ({k: v for k, v in KEY.as_dict(private=True).items() if k != "kid"}, "ES384", "has no kid"),
        (KEY.as_dict(private=True), "HS384", "takes asymmetrical algorithms alone"),
    ],
)
def test_a_private_key_that_cannot_sign_as_said_is_a_fault(
    tmp_path: Path, key: Any, algorithm: str, said: str
) -> None:
    text = f"""
        [a]
        issuer = "https://a.example"
        jku = "https://a.example/keys"
        [a.backend]
        server = "https://a.example/fhir"
        client_id = "x"
        token_url = "https://a.example/token"
        key = "key.json"
        algorithm = "{algorithm}"
        """
    (tmp_path / "key.json").write_text(json.dumps(key), encoding="utf-8")
    assert [said in fault for fault in faults(write(tmp_path, text))] == [True]


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_a_file_without_clients_is_a_fault(tmp_path: Path, text: str) -> None:
    assert faults(write(tmp_path, text)) == ["names no client; give each EHR a table: [its-name]"]


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "line 2" in faults(write(tmp_path, "[a]\nissuer = https\n"))[0]


WHOLE: list[dict[str, Any]] = [
    KEY.as_dict(private=False),
    RSAKey.generate_key(2048, {"kid": "r"}).as_dict(private=True),
]
ODD: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=2)
)


@given(st.data())
def test_any_key_set_can_be_read(data: st.DataObject) -> None:
    keys = []
    for whole in data.draw(st.lists(st.sampled_from(WHOLE), max_size=3)):
        names = st.sampled_from([*whole, "alg", "use", "key_ops", "kid", "d"])
        keys.append(whole | data.draw(st.dictionaries(names, ODD | st.sampled_from(["RSA", "EC", "P-256"]))))
    found = read_keys({"keys": keys})
    assert not any(key.is_private for key in found.values())
