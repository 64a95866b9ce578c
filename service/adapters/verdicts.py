"""Which content has been found sound before, so that a start need not judge the same bytes again.

A verdict is an empty file named by the SHA-256 of the content and of the code that judged it. Where the
folder cannot be read or written there are no verdicts, and every start judges.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.adapters.content import Folder

_SERVICE = Path(__file__).parent.parent


def digest(content: Folder) -> str:
    """The name of the content's verdict."""
    found = hashlib.sha256()
    for one in (*content.published, *content.examples("QuestionnaireResponse")):
        found.update(f"{one.file}\0{len(one.body)}\0".encode())
        found.update(one.body)
    for name, table in sorted(content.tables.items()):
        found.update(f"{name}\0{table}\0".encode())
    for path in sorted(_SERVICE.rglob("*.py")):
        told = path.stat()
        found.update(f"{path}\0{told.st_size}\0{told.st_mtime_ns}\0".encode())
    return found.hexdigest()


def known(folder: Path, name: str) -> bool:
    """Whether this content was found sound before."""
    try:
        return (folder / name).is_file()
    except OSError:
        return False


def remember(folder: Path, name: str) -> None:
    """Nothing; the content need not be judged again. Older verdicts go."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in folder.glob("[0-9a-f]" * 64):
            old.unlink(missing_ok=True)
        (folder / name).touch(mode=0o600)
    except OSError:
        return
