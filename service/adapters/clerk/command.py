"""How the clerk's process is started: by this interpreter, with the modules that are found here."""

from __future__ import annotations

import sys
from pathlib import Path

_START = "import sys; sys.path[:] = sys.argv[1:]; from service.adapters.clerk.process import main; main()"


def command() -> tuple[str, ...]:
    """The program and its arguments.

    Not ``-m``: that looks for modules in the folder in which the service happens to be started, before it
    looks anywhere else. The folders in which the worker finds its own are handed over instead.
    """
    given = (
        ("-I", sys.flags.isolated),
        ("-E", sys.flags.ignore_environment),
        ("-B", sys.dont_write_bytecode),
    )
    flags = [flag for flag, holds in given if holds]
    folders = [str(Path(folder).absolute()) for folder in sys.path]
    return (sys.executable, "-P", *flags, "-c", _START, *folders)
