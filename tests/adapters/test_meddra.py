"""The site's own table of MedDRA codes. The codes here are invented: MedDRA is licensed, and not shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.adapters.meddra import read_terms
from service.domain.errors import ContentFault
from service.domain.site import MedDra
from service.yellow_card.e2b.terms import Terms

if TYPE_CHECKING:
    from pathlib import Path


def site(folder: Path, text: str, version: str = "0.0") -> MedDra:
    path = folder / "terms.csv"
    path.write_text(text, encoding="utf-8")
    return MedDra(path, version)


def faults(held: MedDra) -> list[str]:
    with pytest.raises(ContentFault) as caught:
        read_terms(held)
    return [str(issue) for issue in caught.value.issues]


def test_a_table_is_read_with_and_without_versions(tmp_path: Path) -> None:
    wanted = Terms("0.0", {"sedation-reaction": "99999999", "slow breathing": "99999998"})
    held = "local_key,llt_code,version\nsedation-reaction,99999999,0.0\n Slow  Breathing , 99999998,\n"
    assert read_terms(site(tmp_path, held)) == wanted
    assert read_terms(site(tmp_path, "\ufeffllt_code,local_key\n99999999,x\n")) == Terms(
        "0.0", {"x": "99999999"}
    )


def test_keys_are_found_whatever_their_case_and_spaces() -> None:
    terms = Terms("0.0", {"slow breathing": "99999998"})
    assert terms.find(None, "", "other", "SLOW\n breathing") == "99999998"
    assert terms.find("slow") is None


def test_every_faulty_line_is_named(tmp_path: Path) -> None:
    lines = (
        "local_key,llt_code,version",
        "a,9999999,",
        ",99999999,",
        "b,99999999,0.1",
        "c,99999999,",
        "c,99999998,",
        "d,SNOMED:1,",
    )
    assert faults(site(tmp_path, "\n".join(lines))) == [
        "terms.csv:2: llt_code is not a code of eight digits",
        "terms.csv:3: local_key is empty",
        "terms.csv:4: version is 0.1, and the site's release is 0.0; a message has one",
        "terms.csv:6: local_key stands twice with different codes",
        "terms.csv:7: llt_code is not a code of eight digits",
    ]


@pytest.mark.parametrize("text", ["", "key,code\na,99999999\n", "local_key,llt_code,snomed\na,99999999,1\n"])
def test_a_table_with_other_columns_is_refused(tmp_path: Path, text: str) -> None:
    assert faults(site(tmp_path, text)) == [
        "terms.csv has the columns local_key,llt_code and, if wished, version"
    ]


def test_codes_are_looked_up_in_the_licensed_list_where_it_lies_beside(tmp_path: Path) -> None:
    (tmp_path / "llt.asc").write_text(
        "99999999$Invented$99999990$$$$$$$Y$$\n99999998$Withdrawn$99999990$$$$$$$N$$\n", encoding="utf-8"
    )
    held = site(tmp_path, "local_key,llt_code\na,99999999\nb,99999998\nc,99999997\n")
    assert faults(held) == [
        "terms.csv:3: 99999998 is no current term of llt.asc",
        "terms.csv:4: 99999997 is no current term of llt.asc",
    ]


def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "terms.csv").write_bytes(b"local_key,llt_code\n\xe9,99999999\n")
    assert "cannot be read" in faults(MedDra(tmp_path / "terms.csv", "0.0"))[0]
    assert "cannot be read" in faults(MedDra(tmp_path / "none.csv", "0.0"))[0]
