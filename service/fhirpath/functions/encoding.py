"""Texts in other forms: encode, decode, escape and unescape (additional string functions of 2.1).

The libraries they stand on are loaded by the first call: few expressions make one.
"""

from __future__ import annotations

import binascii

from service.fhirpath.errors import EvaluationError

from .registry import scalar
from .strings import bounded

_URL_SAFE = str.maketrans("+/", "-_")
# The plain alphabet's own two signs are none of the URL-safe one.
_FROM_URL_SAFE = str.maketrans("-_+/", "+/**")


@scalar("encode", "additional string functions", "format: String", takes="String", gives="String")
def encode(text: str, form: str) -> str | None:
    """encode(format) : String. As hex, base64 or urlbase64 of its UTF-8."""
    raw = text.encode("utf-8", "surrogatepass")
    match form:
        case "hex":
            return raw.hex()
        case "base64" | "urlbase64":
            encoded = binascii.b2a_base64(raw, newline=False).decode("ascii")
            return encoded if form == "base64" else encoded.translate(_URL_SAFE)
    raise EvaluationError("encode() knows the formats hex, base64 and urlbase64")


@scalar("decode", "additional string functions", "format: String", takes="String", gives="String")
def decode(text: str, form: str) -> str | None:
    """decode(format) : String. From hex, base64 or urlbase64; an error for text in another form."""
    try:
        match form:
            case "hex":
                return bytes.fromhex(text).decode("utf-8")
            case "base64":
                return binascii.a2b_base64(text, strict_mode=True).decode("utf-8")
            case "urlbase64":
                return binascii.a2b_base64(text.translate(_FROM_URL_SAFE), strict_mode=True).decode("utf-8")
    except (ValueError, binascii.Error):
        raise EvaluationError(f"the text is not {form}") from None
    raise EvaluationError("decode() knows the formats hex, base64 and urlbase64")


@scalar("escape", "additional string functions", "target: String", takes="String", gives="String")
def escape(text: str, target: str) -> str | None:
    """escape(target) : String. For html or json."""
    match target:
        case "html":
            from html import escape as escape_html

            return bounded(escape_html(text))
        case "json":
            import json

            return bounded(json.dumps(text, ensure_ascii=False)[1:-1])
    raise EvaluationError("escape() knows the targets html and json")


@scalar("unescape", "additional string functions", "target: String", takes="String", gives="String")
def unescape(text: str, target: str) -> str | None:
    """unescape(target) : String. From html or json."""
    match target:
        case "html":
            from html import unescape as unescape_html

            return unescape_html(text)
        case "json":
            return _from_json(text)
    raise EvaluationError("unescape() knows the targets html and json")


def _from_json(text: str) -> str:
    """A bare quotation mark may stand unescaped: only escapes are undone."""
    import json

    quoted = "".join(
        piece if piece.startswith("\\") else piece.replace('"', '\\"') for piece in _escapes(text)
    )
    try:
        found: str = json.loads(f'"{quoted}"', strict=False)
    except ValueError:
        raise EvaluationError("the text is not escaped JSON") from None
    return found


def _escapes(text: str) -> list[str]:
    """The text cut so that each backslash and the character after it are a piece."""
    pieces: list[str] = []
    position = 0
    while (slash := text.find("\\", position)) >= 0:
        pieces += [text[position:slash], text[slash : slash + 2]]
        position = slash + 2
    return [*pieces, text[position:]]
