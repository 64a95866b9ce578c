"""Narrative XHTML written out again from parser events, as the string that FHIR's JSON carries."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

XHTML = "http://www.w3.org/1999/xhtml"
_XML = "http://www.w3.org/XML/1998/namespace"


class Narrative:
    """One ``div`` while it is read. ``depth`` counts the elements that are open."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self._parts: list[str] = []
        self._open: list[str] = []
        self._begun = False

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._open)

    def start(self, namespace: str, name: str, attributes: dict[str, str]) -> None:
        """Opens an element. What is not XHTML keeps its namespace, for the checks to refuse."""
        self._flush()
        said = "" if self._open and namespace == XHTML else f" xmlns={quoteattr(namespace)}"
        for key, value in attributes.items():
            space, _, plain = key.rpartition(" ")
            said += f" {'xml:' if space == _XML else ''}{plain}={quoteattr(value)}"
        self._parts.append(f"<{name}{said}")
        self._open.append(name)
        self._begun = True

    def end(self) -> None:
        """Closes the element opened last."""
        name = self._open.pop()
        if self._begun:
            self._parts.append("/>")
            self._begun = False
        else:
            self._parts.append(f"</{name}>")

    def write(self, text: str) -> None:
        """Adds text."""
        self._flush()
        self._parts.append(escape(text))

    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    def _flush(self) -> None:
        if self._begun:
            self._parts.append(">")
            self._begun = False
