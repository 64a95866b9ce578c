"""HL7's reference validator, as a function: documents in, its findings out.

One JVM checks all documents of a call. Findings are kept on disk under a hash of all that they depend on (the
validator's build, the loaded content, document and profiles), so that only what changed is checked again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "conformance"
CACHE = Path(__file__).with_name(".cache")
SHARED = ROOT.parent / "shared"
SHARED_PROFILES = (SHARED / "ukcore", SHARED / "crmi")

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Job:
    """A document to check: a resource as a dict, or its text (JSON or XML) where the text itself matters."""

    id: str
    document: Mapping[str, Any] | str
    profiles: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The document as JSON or XML text; decimals keep their digits."""
        return self.document if isinstance(self.document, str) else _ENCODER.encode(self.document).decode()


@dataclass(frozen=True, slots=True)
class Message:
    """One finding in HL7's words; ``severity`` is fatal, error, warning or information."""

    severity: str
    location: str
    line: int | None
    col: int | None
    message_id: str
    message: str

    @property
    def is_error(self) -> bool:
        """True for what makes a document invalid."""
        return self.severity in {"fatal", "error"}

    def __str__(self) -> str:
        return f"{self.severity} at {self.location or 'the document'}: {self.message} [{self.message_id}]"


def require_reference() -> None:
    """Skips the test where Java, Maven or npm is missing, with the reason; under CI that is a failure.

    Builds the validator where it is not built yet.
    """
    missing = [tool for tool in ("java", "mvn", "npm") if shutil.which(tool) is None]
    if missing:
        _unavailable(f"the reference validator needs {', '.join(missing)}")
    fault = _build()
    if fault:
        _unavailable(f"the reference validator could not be built: {fault}")


def _unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@functools.cache
def _build() -> str:
    done = subprocess.run([TOOL / "build.sh"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()


def packages() -> list[Path]:
    """The FHIR packages that the build fetched: SDC, extensions, terminology, cross-version tables."""
    return sorted((TOOL / "target" / "packages").glob("*.tgz"))


def standard_load() -> list[Path]:
    """What everything rests on: the packages, this project's content and, where present, UK Core and CRMI."""
    own = [ROOT / "profiles", ROOT / "mappings", ROOT / "tests" / "second_guidance"]
    return [*packages(), *(path for path in (*own, *SHARED_PROFILES) if path.is_dir())]


def validate(jobs: Iterable[Job], load: Sequence[Path] | None = None) -> dict[str, tuple[Message, ...]]:
    """The findings on each document by its job's id; ``load``, else ``standard_load()``, is what it rests on.

    Raises ValueError for two jobs of one id, RuntimeError with the validator's own words when it breaks.
    """
    asked: dict[str, Job] = {}
    for job in jobs:
        if asked.setdefault(job.id, job) is not job:
            raise ValueError(f"two jobs have the id {job.id}")
    loads = standard_load() if load is None else list(load)
    fingerprint = _fingerprint(loads)
    found: dict[str, tuple[Message, ...]] = {}
    keys: dict[str, Path] = {}
    for job in asked.values():
        keys[job.id] = path = _cache_path(fingerprint, job)
        if path.exists():
            found[job.id] = tuple(Message(**each) for each in json.loads(path.read_text(encoding="utf-8")))
    for name, messages in _run([job for job in asked.values() if job.id not in found], loads).items():
        found[name] = messages
        keys[name].parent.mkdir(parents=True, exist_ok=True)
        partial = keys[name].with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps([asdict(each) for each in messages]), encoding="utf-8")
        partial.replace(keys[name])
    return {name: found[name] for name in asked}


def _run(jobs: list[Job], loads: list[Path]) -> dict[str, tuple[Message, ...]]:
    if not jobs:
        return {}
    lines = "".join(
        json.dumps({"id": job.id, "text": job.text, "profiles": list(job.profiles)}) + "\n" for job in jobs
    )
    command = [str(TOOL / "run.sh"), "--threads", "2"]
    for path in loads:
        command += ["--load", str(path)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, encoding="utf-8", check=False)
    # Only a line feed ends a line: a message may quote any other separator.
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    if (
        done.returncode not in {0, 1}
        or done.stderr
        or [each.get("id") for each in answers] != [j.id for j in jobs]
    ):
        raise RuntimeError(
            f"the reference validator ended with {done.returncode}: {done.stderr or done.stdout}"
        )
    return {each["id"]: tuple(_message(message) for message in each["messages"]) for each in answers}


def _message(message: dict[str, Any]) -> Message:
    return Message(
        severity=message["severity"],
        location=message.get("location", ""),
        line=message.get("line"),
        col=message.get("col"),
        message_id=message.get("messageId", ""),
        message=message.get("message", ""),
    )


def _fingerprint(loads: list[Path]) -> str:
    digest = hashlib.sha256((TOOL / "target" / "built").read_bytes())
    for load in loads:
        files = (
            sorted(path for path in load.rglob("*") if path.suffix in {".json", ".xml"})
            if load.is_dir()
            else [load]
        )
        for path in files:
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _cache_path(fingerprint: str, job: Job) -> Path:
    parts = [fingerprint, job.text, *job.profiles]
    name = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return CACHE / name[:2] / f"{name}.json"
