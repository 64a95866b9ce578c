"""Writes ``openapi/openapi.json`` from the application on the release's own content."""

from __future__ import annotations

import json
from pathlib import Path

from service import app
from service.fhir.json_text import encode
from service.settings import Settings
from service.web.openapi import document

TARGET = Path(__file__).parent.parent / "openapi/openapi.json"


def build() -> str:
    """The file's text."""
    made = json.loads(encode(document(app.offline(Settings()))))
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes the file."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(build(), encoding="utf-8")


if __name__ == "__main__":
    main()
