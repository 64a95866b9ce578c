"""How the process is started: wherever, and however, the worker was; what it cannot understand ends it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from service.adapters.clerk import line
from service.adapters.clerk.command import command

if TYPE_CHECKING:
    from pathlib import Path


def talk(folder: Path, sent: bytes, *flags: str) -> subprocess.CompletedProcess[bytes]:
    """What the process says, started in the folder by a worker that was started there with these flags."""
    worker = f"import sys; sys.path[:] = {sys.path!r}; from service.adapters.clerk.command import command; "
    asked = [sys.executable, *flags, "-P", "-c", worker + "print(*command(), sep=chr(10))"]
    given = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=folder).stdout.splitlines()
    return subprocess.run(given, input=sent, capture_output=True, cwd=folder, timeout=60, check=False)


def test_modules_that_lie_where_it_is_started_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    for name in ("service/__init__", "queue", "msgspec", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a module of the folder it was started in')")
    opening = line.frame(line.Opening(0, f"sqlite:///{tmp_path}/r.sqlite3"))
    for flags in ((), ("-I",), ("-E",)):
        said = talk(tmp_path, opening, *flags)
        assert (said.returncode, said.stderr) == (0, b"")
        assert line.Answers().take(said.stdout) == [line.Answer(0)]


def test_it_is_as_apart_from_its_surroundings_as_the_worker() -> None:
    worker = f"import sys; sys.path[:] = {sys.path!r}; from service.adapters.clerk.command import command; "
    for flag, found in (("-I", "-I"), ("-E", "-E"), ("-B", "-B")):
        asked = [sys.executable, flag, "-c", worker + "print(*command()[:5], sep=chr(10))"]
        told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
        assert told[0] == sys.executable
        assert found in told[1:]
    assert "" not in command()  # the folder of the moment is named, lest it be another one in the process


def test_what_it_does_not_understand_ends_it(tmp_path: Path) -> None:
    opening = line.frame(line.Opening(0, f"sqlite:///{tmp_path}/r.sqlite3"))
    said = talk(tmp_path, opening + b"\x00\x00\x00\x01\xc1")
    assert said.returncode == 1
    assert line.Answers().take(said.stdout) == [line.Answer(0)]
