"""The folder gateway and its inbox, on real folders, with workers killed and workers side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service.adapters.gateways.folder import PARTIAL, Folder, file_name
from service.adapters.gateways.inbox import Inbox, Taken
from service.domain.errors import Refused, ServiceError, Unavailable
from service.operations.ports import Message, Receipt

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


def message(id_: str = "case-1.v1", body: bytes = b"<case/>", media_type: str = "application/xml") -> Message:
    return Message(id_, "gateway", "SafetyReport/1", media_type, body)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_message_is_a_file_once_and_for_all(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for _ in range(2):
        assert folder.deliver(message()) == Receipt(reference="case-1.v1.xml")
    assert content(tmp_path) == {"case-1.v1.xml": b"<case/>"}
    assert content(tmp_path / PARTIAL) == {}
    with pytest.raises(Refused, match=r"case-1\.v1\.xml with other content"):
        folder.deliver(message(body=b"<other/>"))
    assert content(tmp_path) == {"case-1.v1.xml": b"<case/>"}


@pytest.mark.parametrize(
    ("id_", "media_type", "name"),
    [
        ("0b1f", "application/xml; charset=utf-8", "0b1f.xml"),
        ("0b1f", "application/fhir+json", "0b1f.json"),
        ("0b1f", "image/png", "0b1f.bin"),
        ("urn:uuid:1", "application/xml", "urn-uuid-1-b362f50874c70202.xml"),
        ("../../etc/passwd", "text/plain", "etc-passwd-3754d6cb3a38e118.txt"),
        (".hidden", "text/plain", "hidden-1692419006a88aab.txt"),
        ("…", "text/plain", "message-b4935894c8ce16bd.txt"),
    ],
)
def test_a_file_s_name_is_plain_whatever_the_id(id_: str, media_type: str, name: str) -> None:
    assert file_name(id_, media_type) == name
    assert file_name("a:b", "text/plain") != file_name("a/b", "text/plain")


def test_a_folder_that_cannot_be_written_is_unavailable_and_is_never_made(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(Unavailable, match="not there"):
        Folder(gone).deliver(message())
    assert not gone.exists()
    (tmp_path / PARTIAL).write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(Unavailable, match="EEXIST"):
        Folder(tmp_path).deliver(message())
    assert list(content(tmp_path)) == [PARTIAL]


def test_workers_side_by_side_make_one_file(tmp_path: Path) -> None:
    outcomes: list[Receipt] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(Folder(tmp_path).deliver(message())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Receipt(reference="case-1.v1.xml")] * 8
    assert content(tmp_path) == {"case-1.v1.xml": b"<case/>"}


KILLED = """
import os, pathlib, signal, sys
from service.adapters.gateways import folder
from service.operations.ports import Message
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
step = sys.argv[2]
if step == "fsync": os.fsync = die
if step == "link": folder._appear = die
if step == "sync": folder._sync = die
message = Message("case-1.v1", "gateway", "S/1", "application/xml", b"<case/>")
folder.Folder(pathlib.Path(sys.argv[1])).deliver(message)
"""


@pytest.mark.parametrize(("step", "there"), [("fsync", []), ("link", []), ("sync", ["case-1.v1.xml"])])
def test_a_worker_killed_while_it_writes_leaves_no_part_of_a_file(
    tmp_path: Path, step: str, there: list[str]
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), step], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(content(tmp_path)) == there
    left = list((tmp_path / PARTIAL).iterdir())
    assert len(left) == 1 - len(there)
    for one in left:
        os.utime(one, (0, 0))
    assert Folder(tmp_path).deliver(message()) == Receipt(reference="case-1.v1.xml")
    assert content(tmp_path) == {"case-1.v1.xml": b"<case/>"}
    Folder(tmp_path).deliver(message("case-2.v1"))
    assert content(tmp_path / PARTIAL) == {}


class Accepting:
    """Keeps what it is given; fails as told by the content."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []
        self.store_down = False

    def __call__(self, name: str, body: bytes) -> None:
        if self.store_down:
            raise Unavailable("the records cannot be reached")
        if body.startswith(b"bad"):
            raise ServiceError("this is no acknowledgement")
        self.kept.append((name, body))


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def inbox(folder: Path, accept: Accepting, clock: Clock, largest: int = 1000) -> Inbox:
    return Inbox(folder, accept, clock, largest=largest, quiet=5)


def test_an_acknowledgement_is_taken_once_it_has_stopped_growing(tmp_path: Path) -> None:
    accept, clock = Accepting(), Clock()
    polled = inbox(tmp_path, accept, clock)
    (tmp_path / "ack.xml").write_bytes(b"<ack")
    assert polled.poll() == ()
    clock.pass_by(5)
    (tmp_path / "ack.xml").write_bytes(b"<ack/>")
    assert polled.poll() == ()
    clock.pass_by(4)
    assert polled.poll() == ()
    clock.pass_by(1)
    assert polled.poll() == (Taken("ack.xml", accepted=True),)
    clock.pass_by(60)
    assert polled.poll() == ()
    assert accept.kept == [("ack.xml", b"<ack/>")]
    assert (content(tmp_path), content(tmp_path / "done")) == ({}, {"ack.xml": b"<ack/>"})


def test_what_is_no_acknowledgement_is_put_aside_with_the_reason(tmp_path: Path) -> None:
    accept, clock = Accepting(), Clock()
    for name, body in (
        ("bad.xml", b"bad"),
        ("empty.xml", b""),
        ("large.xml", b"x" * 1001),
        ("ok.xml", b"ok"),
    ):
        (tmp_path / name).write_bytes(body)
    clock.pass_by(61)
    taken = inbox(tmp_path, accept, clock).poll()
    assert taken == (
        Taken("bad.xml", accepted=False, reason="this is no acknowledgement"),
        Taken("empty.xml", accepted=False, reason="the file is empty"),
        Taken("large.xml", accepted=False, reason="the file has more than 1000 bytes"),
        Taken("ok.xml", accepted=True),
    )
    failed = content(tmp_path / "failed")
    assert failed["bad.xml.reason"] == b"this is no acknowledgement\n"
    assert set(failed) == {
        f"{name}.xml{end}" for name in ("bad", "empty", "large") for end in ("", ".reason")
    }


def test_only_finished_plain_files_are_taken(tmp_path: Path) -> None:
    accept, clock = Accepting(), Clock()
    (tmp_path / "secret").write_bytes(b"not yours")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.xml").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "folder").mkdir()
    os.mkfifo(tmp_path / "in" / "pipe")
    for name in (".hidden", "ack.xml.part", "ack.TMP"):
        (tmp_path / "in" / name).write_bytes(b"ok")
    clock.pass_by(3600)
    assert inbox(tmp_path / "in", accept, clock).poll() == ()
    assert accept.kept == []


def test_files_wait_while_the_records_cannot_be_reached(tmp_path: Path) -> None:
    accept, clock = Accepting(), Clock()
    (tmp_path / "ack.xml").write_bytes(b"ok")
    accept.store_down = True
    clock.pass_by(61)
    polled = inbox(tmp_path, accept, clock)
    assert polled.poll() == ()
    assert content(tmp_path) == {"ack.xml": b"ok"}
    accept.store_down = False
    clock.pass_by(61)
    assert polled.poll() == (Taken("ack.xml", accepted=True),)


def test_a_file_whose_worker_was_killed_is_taken_again(tmp_path: Path) -> None:
    accept, clock = Accepting(), Clock()
    (tmp_path / "ack.xml").write_bytes(b"ok")
    clock.pass_by(61)

    polled = inbox(tmp_path, accept, clock)
    polled.poll()
    assert accept.kept == [("ack.xml", b"ok")]
    lost = (tmp_path / "done" / "ack.xml").rename(tmp_path / ".taking" / "ack.xml")
    os.utime(lost, (clock.now.timestamp(), clock.now.timestamp()))
    other = inbox(tmp_path, accept, clock)
    assert other.poll() == ()
    clock.pass_by(599)
    assert other.poll() == ()
    clock.pass_by(1)
    assert other.poll() == (Taken("ack.xml", accepted=True),)


def test_an_error_of_ours_puts_the_file_aside_and_does_not_stop_the_inbox(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "ack.xml").write_bytes(b"Mrs Example")

    def stumble(_name: str, body: bytes) -> None:
        raise KeyError(body)

    clock.pass_by(61)
    reason = "an error of ours (KeyError)"
    taken = Inbox(tmp_path, stumble, clock, largest=1000).poll()
    assert taken == (Taken("ack.xml", accepted=False, reason=reason),)
    assert content(tmp_path / "failed")["ack.xml.reason"] == f"{reason}\n".encode()


def test_a_name_that_came_before_is_kept_beside_it(tmp_path: Path) -> None:
    accept, clock = Accepting(), Clock()
    for body in (b"one", b"two", b"three"):
        (tmp_path / "ack.xml").write_bytes(body)
        clock.pass_by(61)
        inbox(tmp_path, accept, clock).poll()
    kept = {"ack.xml": b"one", "ack.2.xml": b"two", "ack.3.xml": b"three"}
    assert content(tmp_path / "done") == kept


def test_many_workers_take_each_file_once(tmp_path: Path) -> None:
    accept, clock = Accepting(), Clock()
    for at in range(40):
        (tmp_path / f"ack-{at}.xml").write_bytes(b"%d" % at)
    clock.pass_by(61)
    threads = [threading.Thread(target=inbox(tmp_path, accept, clock).poll) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(accept.kept) == sorted((f"ack-{at}.xml", b"%d" % at) for at in range(40))


def test_a_name_that_cannot_be_shown_does_not_keep_an_answer_from_being_taken(tmp_path: Path) -> None:
    (tmp_path / "bad\udcff\n.xml").write_bytes(b"<ack/>")
    os.utime(tmp_path / "bad\udcff\n.xml", (0, 0))
    named: list[str] = []
    taken = Inbox(tmp_path, lambda name, _: named.append(name), Clock(), largest=1000).poll()
    assert ([one.accepted for one in taken], named) == ([True], ["bad__.xml"])
