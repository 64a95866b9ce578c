"""``python -m bench``: runs every measurement, or those named, and prints one table a group."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

import bench

if TYPE_CHECKING:
    from bench.measure import Row


def groups() -> list[str]:
    """The measurements there are: modules of ``bench`` whose name begins with ``of_``."""
    names = (module.name for module in pkgutil.iter_modules(bench.__path__))
    return sorted(name.removeprefix("of_") for name in names if name.startswith("of_"))


def show(name: str, rows: list[Row], console: Console) -> None:
    """Prints one group."""
    table = Table("what", "ours", "must", "hoped for", "", "peer", "theirs", "ratio", title=name)
    for row in rows:
        table.add_row(
            row.what,
            f"{row.ours:,.3g} {row.unit}",
            "" if row.must is None else f"{row.must:g}",
            "" if row.hoped is None else f"{row.hoped:g}",
            row.verdict,
            row.peer,
            "" if row.peers is None else f"{row.peers:,.3g} {row.unit}",
            row.ratio,
        )
    console.print(table)


def main() -> None:
    """Measures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=bench.__doc__)
    parser.add_argument(
        "group", nargs="*", choices=[[], *groups()], help="what to measure; all if none is named"
    )
    console = Console(width=140)
    for name in parser.parse_args().group or groups():
        show(name, list(importlib.import_module(f"bench.of_{name}").measure()), console)


if __name__ == "__main__":
    main()
