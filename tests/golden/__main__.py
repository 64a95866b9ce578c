"""``python -m tests.golden --update [NAME…]``: answers written anew, each change shown. Read every one."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from service.app import log_to
from tests.golden import answer, pairs, pretty, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.golden import Golden


def main(arguments: list[str]) -> int:
    """How many answers differ from those on disk; with ``--update`` these are written."""
    write = "--update" in arguments
    wanted = [one for one in arguments if not one.startswith("--")]
    changed = 0
    chosen = [one for one in pairs() if not wanted or any(part in str(one) for part in wanted)]
    for golden, after in _answers(chosen):
        before = golden.answer.read_text(encoding="utf-8") if golden.answer.exists() else ""
        if before == after:
            continue
        changed += 1
        lines = difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            f"{golden}: was",
            f"{golden}: is",
        )
        sys.stdout.writelines(lines)
        if write:
            golden.answer.write_text(after, encoding="utf-8")
    print(f"{changed} answers {'written' if write else 'differ'}", file=sys.stderr)  # noqa: T201
    return 0 if write or not changed else 1


def _answers(goldens: list[Golden]) -> Iterator[tuple[Golden, str]]:
    with service() as client:
        for golden in goldens:
            with tempfile.TemporaryDirectory() as folder:
                yield golden, pretty(answer(golden, client, Path(folder)))


if __name__ == "__main__":
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        log_to(nowhere, "error")
        sys.exit(main(sys.argv[1:]))
