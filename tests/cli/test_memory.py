"""Large pages: which parts of memory can lie in them, and that Linux is asked for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from service.cli.memory import large_parts

MAPS = """\
55d000000000-55d000400000 r--p 00000000 fd:00 7 /usr/bin/python3
55d000400000-55d000600000 rw-p 00400000 fd:00 7 /usr/bin/python3
55d001100000-55d001900000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000400000 rw-p 00000000 00:00 0 
7f0000500000-7f0000700000 rw-p 00000000 00:00 0 
7f0000800000-7f0000a00000 ---p 00000000 00:00 0 
7f0000c00000-7f0000f00000 rw-s 00000000 00:01 3 /dev/zero (deleted)
7ffd00000000-7ffd00800000 rw-p 00000000 00:00 0                          [stack]
"""  # noqa: W291 - as Linux writes it

ASKING = """
from service.cli.memory import take_large_pages
held = [f"{at}" for at in range(300_000)]
taken = take_large_pages()
flags = [line.split()[1:] for line in open("/proc/self/smaps") if line.startswith("VmFlags")]
print(taken > 0, any("hg" in one for one in flags), held == [str(at) for at in range(300_000)])
"""


def test_whole_large_pages_of_own_memory_are_found_and_no_files_nor_stacks() -> None:
    assert large_parts(MAPS) == [(0x55D001200000, 0x600000), (0x7F0000000000, 0x400000)]


@pytest.mark.skipif(sys.platform != "linux", reason="large pages are asked for on Linux")
def test_linux_is_told_and_what_is_held_stays_as_it_was() -> None:
    said = subprocess.run(
        [sys.executable, "-c", ASKING], capture_output=True, text=True, check=True
    ).stdout.split()
    assert said[0] == said[1]  # what is said to be taken is taken; a kernel without large pages gives none
    assert said[2] == "True"
