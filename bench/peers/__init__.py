"""Other FHIRPath engines, installed into `bench/.peers/` and timed in processes of their own.

Each is a program that reads a task from its standard input, `{"documents": {name: resource}, "cases":
[{"text": …, "over": name}], "seconds": s}`, and answers with one object a case: `{"answer": […], "evaluate":
ms, "compile": ms}`, or `{"error": "…"}`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable  # noqa: TC003 - a NamedTuple's fields are read when it is made
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent
_INSTALLED = _HERE.parent / ".peers"
_FHIRPATHPY = "fhirpathpy==2.2.4"


class Peer(NamedTuple):
    """Another engine: its name and version, and what it says to a task; or why it could not be installed."""

    name: str
    run: Callable[[dict[str, Any]], list[dict[str, Any]]] | None
    reason: str = ""


def peers() -> list[Peer]:
    """The peers, installed if they are not yet; one that cannot be has no `run`, and says why."""
    return [_npm(), _fhirpathpy()]


def _npm() -> Peer:
    folder = _INSTALLED / "npm"
    declared = (_HERE / "package.json").read_text("utf-8")
    name = f"npm fhirpath {json.loads(declared)['dependencies']['fhirpath']}"
    if not (folder / "node_modules" / "fhirpath").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(declared, "utf-8")
        options = ["--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        reason = _failure(["npm", "install", *options], folder)
        if reason:
            return Peer(name, None, reason)
    environment = os.environ | {"NODE_PATH": str(folder / "node_modules")}
    return Peer(name, _runner(["node", str(_HERE / "npm_fhirpath.js")], environment))


def _fhirpathpy() -> Peer:
    folder = _INSTALLED / "python"
    name = _FHIRPATHPY.replace("==", " ")
    if not (folder / "fhirpathpy").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), _FHIRPATHPY]
        reason = _failure(command, folder)
        if reason:
            return Peer(name, None, reason)
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return Peer(name, _runner([sys.executable, str(_HERE / "python_fhirpathpy.py")], environment))


def _failure(command: list[str], folder: Path) -> str:
    """Why a command failed; nothing where it did not."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"not installed: {error}"
    lines = (done.stderr or done.stdout).strip().splitlines()
    return f"not installed: {lines[-1] if lines else 'no reason given'}" if done.returncode else ""


def _runner(
    command: list[str], environment: dict[str, str]
) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    def run(task: dict[str, Any]) -> list[dict[str, Any]]:
        done = subprocess.run(
            command, input=json.dumps(task), env=environment, capture_output=True, text=True, check=True
        )
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers

    return run
