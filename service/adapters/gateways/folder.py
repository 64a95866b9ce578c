"""The folder gateway: each message a file, for an AS2 gateway (such as OpenAS2) that sends what lies there.

A file appears whole or not at all, is on disk before the message counts as delivered, and is never
overwritten. Its name comes from the message's id, so that a second delivery finds the first.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from service.domain.errors import Refused, Unavailable
from service.operations.ports import Receipt

if TYPE_CHECKING:
    from service.operations.ports import Message

PARTIAL = ".partial"
"""The folder, inside the gateway's, where files are written before they appear."""

_ENDINGS = {"application/xml": ".xml", "text/xml": ".xml", "application/json": ".json",
            "application/fhir+json": ".json", "application/pdf": ".pdf", "text/html": ".html",
            "text/csv": ".csv", "text/plain": ".txt"}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_STALE_SECONDS = 3600


class Folder:
    """A courier that writes into one folder, which must be there: it is never made."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder that the AS2 gateway sends from."""
        self._folder = folder

    def deliver(self, message: Message) -> Receipt:
        """The file's name as the reference. Unavailable: it cannot be written. Refused: another is there."""
        name = file_name(message.id, message.media_type)
        target = self._folder / name
        try:
            if not _same(target, message.body):
                self._write(target, message.body)
            _sync(self._folder)  # also after a worker that was killed before it came to this
        except OSError as fault:
            kind = errno.errorcode.get(fault.errno or 0, type(fault).__name__)
            raise Unavailable(f"the gateway's folder cannot be written ({kind})") from None
        return Receipt(reference=name)

    def _write(self, target: Path, body: bytes) -> None:
        if not self._folder.is_dir():
            raise Unavailable("the gateway's folder is not there")
        partial = self._folder / PARTIAL
        partial.mkdir(mode=0o700, exist_ok=True)
        handle, written = tempfile.mkstemp(dir=partial, prefix=f"{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, 0o640)  # the gateway's account reads by group
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
                started = os.fstat(file.fileno()).st_mtime
            _appear(Path(written), target, body)
        finally:
            Path(written).unlink(missing_ok=True)
        _sweep(partial, started - _STALE_SECONDS)


def file_name(id_: str, media_type: str) -> str:
    """The file's name: the message's id where that is a plain name, else what is plain of it and a digest."""
    ending = _ENDINGS.get(media_type.partition(";")[0].strip().lower(), ".bin")
    if _PLAIN.fullmatch(id_):
        return id_ + ending
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", id_)[:60].strip("-") or "message"
    return f"{plain}-{hashlib.sha256(id_.encode()).hexdigest()[:16]}{ending}"


def _same(target: Path, body: bytes) -> bool:
    """Whether the file is there with this content; Refused where it is there with another."""
    try:
        there = target.read_bytes()
    except FileNotFoundError:
        return False
    if there != body:
        raise Refused(f"the gateway's folder has a file {target.name} with other content; it was left alone")
    return True


def _appear(written: Path, target: Path, body: bytes) -> None:
    try:
        os.link(written, target)  # unlike a rename, it fails where the target is there
    except FileExistsError:
        if not _same(target, body):
            raise Unavailable("another worker's file went while this one was written") from None
    except OSError:  # a file system without hard links
        if not _same(target, body):
            written.rename(target)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(partial: Path, before: float) -> None:
    """Takes away what workers that were killed left half written."""
    for one in partial.iterdir():
        with suppress(FileNotFoundError):
            if one.lstat().st_mtime < before:
                one.unlink()
