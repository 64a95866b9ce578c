"""ICH's XML schemas, from the folder that the organisation has them in. None are shipped.

The folder is that of the ICH package: ``multicacheschemas`` beside ``coreschemas``. Schemas are read from
that folder and nowhere else; messages are read by the hardened reader.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from service.domain.errors import ContentFault, Malformed
from service.domain.issues import Issue, Severity
from service.yellow_card.e2b.xml_reading import read_xml

if TYPE_CHECKING:
    from pathlib import Path

    from service.yellow_card.e2b.xml_reading import XmlLimits

REPORT = "MCCI_IN200100UV01"
ACKNOWLEDGEMENT = "MCCI_IN200101UV01"
_MOST, _LONGEST = 50, 400
_SPACE = "{urn:hl7-org:v3}"


class Schemas:
    """The schemas of reports and acknowledgements. Safe from several threads at once."""

    def __init__(self, folder: Path) -> None:
        """Reads the schemas; ContentFault says which could not be read."""
        self._lock = Lock()
        self._schemas = {name: _schema(folder, name) for name in (REPORT, ACKNOWLEDGEMENT)}

    def check(self, body: bytes, limits: XmlLimits | None = None) -> tuple[Issue, ...]:
        """What is wrong with a message by its schema, with lines; what cannot be read is an error."""
        try:
            root = read_xml(body, limits)
        except Malformed as fault:
            return fault.issues
        schema = self._schemas.get(str(root.tag).rpartition("}")[2])
        if schema is None:
            said = f"the document is neither a {REPORT} nor a {ACKNOWLEDGEMENT}"
            return (Issue(Severity.ERROR, "structure", said, key="xsd", line=1, column=1),)
        with self._lock:
            # The schema keeps the errors of the last message it saw.
            if schema.validate(root):
                return ()
            found = [
                (entry.line, entry.message.replace(_SPACE, "")) for entry in cast("Any", schema.error_log)
            ]
        return tuple(
            Issue(Severity.ERROR, "structure", said[:_LONGEST], key="xsd", line=max(line, 1), column=1)
            for line, said in found[:_MOST]
        )


def _schema(folder: Path, name: str) -> etree.XMLSchema:
    for path in (folder / "multicacheschemas" / f"{name}.xsd", folder / f"{name}.xsd"):
        if path.is_file():
            break
    else:
        raise ContentFault(f"{folder} has no multicacheschemas/{name}.xsd; name the folder of ICH's schemas")
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False)
    try:
        return etree.XMLSchema(etree.parse(str(path), parser))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError) as fault:
        raise ContentFault(f"{path} cannot be read as a schema: {str(fault)[:300]}") from fault
