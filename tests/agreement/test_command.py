"""``htg117 validate FILE --with FOLDER`` gives documents of the corpus their verdict as its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.fhir.json_text import encode
from tests.agreement.corpus import HERE, Case, cases
from tests.agreement.differences import differences

if TYPE_CHECKING:
    from pathlib import Path

AGREED = [case for case in cases() if case.id not in differences() and not case.needs]
FIRST = list({(case.id.partition("/")[0], case.verdict): case for case in reversed(AGREED)}.values())
"""One valid and one broken document of each kind."""


@pytest.mark.parametrize("case", FIRST, ids=lambda case: case.id)
def test_exit_code(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    file.write_bytes(encode(case.document))
    done = CliRunner().invoke(app, ["validate", str(file), "--with", str(HERE / "content")])
    assert done.exit_code == (1 if case.verdict == "error" else 0), done.output
