"""ICH's schemas from the organisation's folder, and the tools of a site."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from service.adapters import content
from service.adapters.content_checks import check_e2b
from service.adapters.e2b import open_tools
from service.adapters.xsd import Schemas
from service.domain.errors import ContentFault
from service.domain.site import MedDra
from service.yellow_card.e2b.rendering import TABLE, render
from service.yellow_card.e2b.writer import write
from tests.yellow_card.e2b.goldens import NOW, SITE, message, report
from tests.yellow_card.e2b.material import good, guide, reference, schemas, table

if TYPE_CHECKING:
    from pathlib import Path


def test_what_breaks_the_schema_is_told_with_its_line() -> None:
    body = write(good(), guide()).replace(b"<statusCode code", b"<status code")
    (issue,) = schemas().check(body)
    assert (issue.fails, issue.key) == (True, "xsd")
    assert issue.line == body[: body.index(b"<status ")].count(b"\n") + 1
    assert "'status': This element is not expected. Expected is ( statusCode )" in issue.message


def test_messages_and_acknowledgements_of_the_reference_material_are_valid() -> None:
    for path in sorted(reference("samples").iterdir()):
        assert schemas().check(path.read_bytes()) == (), path.name


def test_what_is_no_message_is_an_error_and_not_an_empty_answer() -> None:
    assert [issue.message for issue in schemas().check(b"<a/>")] == [
        "the document is neither a MCCI_IN200100UV01 nor a MCCI_IN200101UV01"
    ]
    assert ["a document type" in issue.message for issue in schemas().check(b"<!DOCTYPE a><a/>")] == [True]


def test_many_threads_get_each_their_own_findings() -> None:
    held = schemas()
    bodies = [
        write(good(), guide()).replace(b"<statusCode code", b"<x%d code" % number) for number in range(20)
    ]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(held.check, bodies * 3))
    assert [
        f"'x{number}'" in issues[0].message for number, issues in zip(list(range(20)) * 3, found, strict=True)
    ] == [True] * 60


def test_a_folder_without_schemas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentFault, match=r"has no multicacheschemas/MCCI_IN200100UV01\.xsd"):
        Schemas(tmp_path)
    (tmp_path / "MCCI_IN200100UV01.xsd").write_text("<schema/>", encoding="utf-8")
    with pytest.raises(ContentFault, match="cannot be read as a schema"):
        Schemas(tmp_path)


def test_the_tools_of_a_site_make_its_messages(tmp_path: Path) -> None:
    terms = tmp_path / "terms.csv"
    terms.write_text("local_key,llt_code\nsedation-reaction,99999999\nsedation,99999997\n", encoding="utf-8")
    site = replace(SITE, meddra=MedDra(terms, "0.0"), xsd=reference("xsd"))
    tools = open_tools(content.load(), site, lambda: NOW)
    assert tools is not None
    assert tools.schema is not None
    here = render([report()], site, tools, "GOLDEN-first").body
    assert here == message("first").replace(b"20260801090000+0000", b"20260801100000+0100")


def test_a_table_that_does_not_fit_its_message_is_told_at_the_start(tmp_path: Path) -> None:
    broken = {**table(), "message": table()["message"][:-1]}
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "e2b-r3.json").write_text(json.dumps(broken), encoding="utf-8")
    folder = content.Folder([tmp_path])
    folder.data = {TABLE: folder.data[f"{tmp_path.name}/shared/e2b-r3.json"]}
    (fault,) = check_e2b(folder)
    assert (fault.file, "the skeleton is not XML" in fault.message) == (TABLE, True)
    assert list(check_e2b(content.load())) == []


def test_a_site_without_a_table_of_terms_has_tools_that_send_nothing() -> None:
    tools = open_tools(content.load(), SITE, lambda: NOW)
    assert tools is not None
    assert (tools.terms, tools.schema) == (None, None)
