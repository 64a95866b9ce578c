"""HealthChain, a program of others that speaks CDS Hooks, installed in an environment of its own.

A test drives the running service with its client; the measurements stand beside its server.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VERSION = "0.16.1"
_FOLDER = Path(__file__).resolve().parent.parent / "bench" / ".peers" / f"healthchain-{VERSION}"


def python() -> tuple[Path | None, str]:
    """The interpreter that has it, installed if it is not yet; or None and why it cannot be had."""
    found = _FOLDER / "bin" / "python"
    mark = _FOLDER / "installed"
    if not mark.exists():
        steps = (
            [sys.executable, "-m", "venv", str(_FOLDER)],
            [str(found), "-m", "pip", "install", "--quiet", f"healthchain=={VERSION}", "uvicorn[standard]"],
        )
        for step in steps:
            try:
                done = subprocess.run(step, capture_output=True, text=True, timeout=600, check=False)
            except (OSError, subprocess.TimeoutExpired) as fault:
                return None, f"healthchain cannot be installed: {fault}"
            if done.returncode:
                lines = (done.stderr or done.stdout).strip().splitlines()
                return None, f"healthchain cannot be installed: {lines[-1] if lines else 'no reason given'}"
        mark.touch()
    return found, ""
