"""Writes the ImplementationGuide's list of resources from the files that are there.

The rest of the guide (its metadata, version and dependencies) is authored in the file itself and kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "profiles" / "htg117" / "ImplementationGuide-htg117.json"
FOLDERS = ("profiles/shared", "profiles/htg117", "mappings/shared", "mappings/htg117")
_DESCRIBED = 240


def published(root: Path = ROOT) -> list[dict[str, Any]]:
    """Every published FHIR resource but the guide itself, ordered by type and id."""
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*-*.json")):
            resource = json.loads(path.read_bytes())
            if resource.get("resourceType", "ImplementationGuide") != "ImplementationGuide":
                found.append(resource)
    return sorted(found, key=lambda each: (each["resourceType"], each["id"]))


def listing(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``ImplementationGuide.definition.resource`` for these resources."""
    return [
        {
            "reference": {"reference": f"{each['resourceType']}/{each['id']}"},
            "name": each.get("title") or each.get("name") or each["id"],
            "description": _shorten(each.get("description") or each.get("title") or each["id"]),
            "exampleBoolean": False,
        }
        for each in resources
    ]


def guide() -> str:
    """The text of the ImplementationGuide with a fresh list of resources."""
    resource = json.loads(GUIDE.read_bytes())
    resource["definition"]["resource"] = listing(published())
    return json.dumps(resource, indent=2, ensure_ascii=False) + "\n"


def _shorten(text: str) -> str:
    """The first sentences of a description that fit, for a table's cell."""
    if len(text) <= _DESCRIBED:
        return text
    cut = text[:_DESCRIBED]
    return cut[: cut.rfind(". ") + 1] if ". " in cut else cut[: cut.rfind(" ")] + " …"


def main() -> None:
    """Writes the guide."""
    GUIDE.write_text(guide(), encoding="utf-8")


if __name__ == "__main__":
    main()
