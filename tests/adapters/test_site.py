"""The site file: what it says, and every fault of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.adapters.site import read_site
from service.domain.errors import ContentFault
from service.domain.safety_report import Reporter
from service.domain.site import E2b, MedDra, Site

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "site.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ContentFault) as refused:
        read_site(path)
    return [str(issue) for issue in refused.value.issues]


def test_the_example_is_a_site_and_says_what_its_comments_say() -> None:
    site, gateway = read_site(EXAMPLE)
    assert gateway.kind == "none"
    assert site == Site(
        organisation="Example University Hospitals NHS Trust",
        ods="RXX00",
        nation="england",
        reporter=Reporter(
            profession="physician",
            department="Interventional radiology",
            address="1 Example Street",
            city="Example Town",
            postcode="ZZ99 3WZ",
            country="GB",
            telephone="020 7946 0000",
            email="safety@example.org",
        ),
        e2b=E2b("EXAMPLETRUST", "EXAMPLERECEIVER", "EXAMPLETRUST"),
        gateway={"kind": "none"},
    )


def test_what_it_names_is_looked_for_beside_it(tmp_path: Path) -> None:
    (tmp_path / "terms.csv").write_text("local_key,llt_code\n", encoding="utf-8")
    (tmp_path / "xsd").mkdir()
    said = (
        'organisation = "A"\nnation = "scotland"\nprivate = true\nage = "band"\ninitials = true\n'
        'reminder_days = 3\nxsd = "xsd"\n[meddra]\ntable = "terms.csv"\nversion = "29.0"\n'
    )
    site, _ = read_site(written(tmp_path, said))
    assert site == Site(
        organisation="A",
        nation="scotland",
        private=True,
        age="band",
        initials=True,
        reminder_days=3,
        meddra=MedDra(tmp_path / "terms.csv", "29.0"),
        xsd=tmp_path / "xsd",
    )


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    said = (
        'nation = "france"\nods = "x"\nprivate = "no"\nage = 3\nreminder_days = 0\nxsd = "none"\ncolour = 1\n'
        '[reporter]\nprofession = "wizard"\ncountry = "gb"\nemail = "none"\nhat = "x"\n'
        '[meddra]\ntable = "none.csv"\nversion = "new"\n'
        '[e2b]\nsender = 1\n[gateway]\nkind = "pigeon"\n'
    )
    assert faults(written(tmp_path, said)) == [
        (
            "colour: is no key here; these are: organisation, ods, nation, private, age, initials, "
            "reminder_days, xsd, reporter, e2b, meddra, gateway"
        ),
        "nation: is one of england, wales, scotland, northern-ireland",
        "age: is a text of one line, 200 characters at most",
        "ods: is an ODS code: 3 to 12 capital letters and digits",
        "organisation: is missing; a report names who reports",
        "private: is true or false",
        (
            "reporter.hat: is no key here; these are: name, profession, organisation, ods, department, "
            "address, city, postcode, country, telephone, email"
        ),
        "reporter.profession: is one of physician, pharmacist, other-health-professional, lawyer, consumer",
        "reporter.country: is a country's two capital letters (ISO 3166), GB here",
        "reporter.email: is an e-mail address",
        "reminder_days: is a whole number of days from 1 to 365",
        "e2b.sender: is a text of one line, 200 characters at most",
        "meddra.version: is the table's MedDRA release, such as 29.0",
        f"meddra.table: {tmp_path / 'none.csv'} is no file",
        f"xsd: {tmp_path / 'none'} is no folder",
        "gateway.kind: is one of none, folder, http, not 'pigeon'",
    ]


@pytest.mark.parametrize("part", ["reporter", "e2b", "meddra", "gateway"])
def test_a_part_that_is_no_table_is_said(tmp_path: Path, part: str) -> None:
    said = f'organisation = "A"\nnation = "wales"\n{part} = 1\n'
    assert faults(written(tmp_path, said)) == [f"{part}: is a table: [{part}]"]


def test_what_is_no_toml_or_far_too_large_is_said(tmp_path: Path) -> None:
    with pytest.raises(ContentFault, match="is not TOML"):
        read_site(written(tmp_path, "nation = "))
    with pytest.raises(ContentFault, match="larger than"):
        read_site(written(tmp_path, "#" * 1_000_001))
