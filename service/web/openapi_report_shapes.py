"""What the addresses of safety reports answer, as JSON Schema."""

from __future__ import annotations

from typing import Any

from service.domain.safety_report import Branch, State
from service.operations.report.strays import OPEN, SEEN
from service.web.reports.asked import SERIOUSNESS

Part = dict[str, Any]
_TEXT: Part = {"type": "string"}
_SUMMARY: Part = {
    "type": "object",
    "required": ["case", "url", "version", "state", "status", "branch", "seriousness", "event", "created"],
    "properties": {
        "case": {"type": "string", "description": "The case's id for ever."},
        "url": _TEXT,
        "version": {"type": "integer", "minimum": 1},
        "state": {"enum": [str(one) for one in State]},
        "status": {"type": "string", "description": "How far it has come, in words for a person."},
        "branch": {"enum": [str(one) for one in Branch]},
        "seriousness": {"enum": list(SERIOUSNESS)},
        "event": _TEXT,
        "actuality": {"enum": ["actual", "potential"]},
        "onset": _TEXT,
        "created": _TEXT,
        "changed": _TEXT,
        "followUpDue": _TEXT,
        "yellowCard": {"type": "string", "description": "The reference that the Yellow Card scheme gave."},
        "linked": {"type": "array", "items": _TEXT},
        "attention": {"type": "array", "items": _TEXT, "description": "Why somebody should look at it now."},
    },
}
_MISSING: Part = {
    "type": "object",
    "required": ["id", "label", "need", "remedy"],
    "properties": {
        "id": _TEXT,
        "section": _TEXT,
        "label": _TEXT,
        "need": {"enum": ["minimum", "helpful"]},
        "place": _TEXT,
        "linkIds": {"type": "array", "items": _TEXT, "description": "The questions that fill it."},
        "enterAt": {"type": "string", "description": "The path where it may be entered instead."},
        "oneOf": {"type": "array", "items": _TEXT, "description": "Of these fields one is enough."},
        "remedy": _TEXT,
    },
}
_EXPORT: Part = {
    "type": "object",
    "required": ["rendering", "version", "when", "mediaType", "fileName", "sha256", "document", "content"],
    "properties": {
        "rendering": _TEXT,
        "version": {"type": "integer"},
        "when": _TEXT,
        "mediaType": _TEXT,
        "fileName": _TEXT,
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "document": {"type": "string", "description": "The DocumentReference."},
        "content": {"type": "string", "description": "The Binary: the file, byte for byte."},
        "together": {"type": "array", "items": _TEXT, "description": "The cases in it, where it is a batch."},
    },
}
_STRAY: Part = {
    "type": "object",
    "description": "An acknowledgement that could not be joined, or not wholly: kept byte for byte.",
    "required": ["sha256", "state", "says", "batch", "unjoined", "received", "through", "content"],
    "properties": {
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "state": {"enum": [OPEN, SEEN]},
        "unjoined": {
            "type": "array",
            "items": {"type": "object", "properties": {"number": _TEXT, "why": _TEXT}},
        },
        "size": {"type": "integer"},
        **dict.fromkeys(
            ("says", "batch", "received", "through", "fileName", "content", "who", "when", "reason"), _TEXT
        ),
    },
}
_UNJOINED: Part = {"$ref": "#/components/schemas/UnjoinedAcknowledgement"}
SCHEMAS: Part = {
    "ReportSummary": _SUMMARY,
    "UnjoinedAcknowledgement": _STRAY,
    "UnjoinedAcknowledgements": {
        "type": "object",
        "required": ["total", "acknowledgements"],
        "properties": {
            "total": {"type": "integer", "minimum": 0},
            "acknowledgements": {"type": "array", "items": _UNJOINED},
        },
    },
    "Report": {
        "allOf": [
            {"$ref": "#/components/schemas/ReportSummary"},
            {
                "type": "object",
                "required": ["meaning", "decidedBy", "report", "history"],
                "properties": {
                    "meaning": _TEXT,
                    "decidedBy": {"type": "string", "description": "Why it is on its branch."},
                    "asks": {"type": "array", "items": _TEXT, "description": "linkIds that would decide it."},
                    "steps": {
                        "type": "array",
                        "items": _TEXT,
                        "description": "What can be done with it now.",
                    },
                    "submitTo": {"type": "object", "description": "Where it is submitted, and why there."},
                    "missing": {"type": "array", "items": _MISSING},
                    "mayIdentify": {
                        "type": "array",
                        "description": "Texts that may identify the patient: they hold back every file.",
                        "items": {"type": "object", "properties": {"path": _TEXT, "kind": _TEXT}},
                    },
                    "entered": {"type": "array", "items": {"type": "object"}},
                    "exports": {"type": "array", "items": _EXPORT},
                    "notMade": {"type": "array", "items": {"type": "object"}},
                    "sendings": {"type": "array", "items": {"type": "object"}},
                    "acknowledgements": {"type": "array", "items": _TEXT},
                    "report": {"type": "object", "description": "The case itself, neutral to how it leaves."},
                    "history": {"type": "array", "items": {"type": "object"}, "description": "Every change."},
                    "says": {"type": "string", "description": "What a person is to know of this step."},
                    "unjoined": _UNJOINED,
                },
            },
        ]
    },
    "Reports": {
        "type": "object",
        "required": ["total", "reports"],
        "properties": {
            "total": {"type": "integer", "minimum": 0},
            "reports": {"type": "array", "items": {"$ref": "#/components/schemas/ReportSummary"}},
            "next": {"type": "string", "description": "The next page."},
            "unjoined": {"type": "array", "items": _UNJOINED},
        },
    },
    "ReportBatch": {
        "type": "object",
        "required": ["reports", "file"],
        "properties": {
            "reports": {"type": "array", "items": {"$ref": "#/components/schemas/ReportSummary"}},
            "file": _EXPORT,
        },
    },
    "ReportsMade": {
        "type": "object",
        "required": ["reports"],
        "properties": {
            "reports": {"type": "array", "items": {"$ref": "#/components/schemas/ReportSummary"}},
            "offers": {"type": "array", "items": {"type": "object"}},
            "unjoined": _UNJOINED,
        },
    },
}
