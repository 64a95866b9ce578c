"""Fuzzes the FHIRPath engine: `python -m tests.fuzz.fhirpath --seconds 600 [TARGET…]`.

The seconds are shared out among the targets, which run one after the other, each in a process of its own.
What a target learns is kept in a corpus folder, so that the next run starts from there; a finding is written
to the folder beside it, and the run ends with status 1. Without atheris there is nothing to run: it says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

_WORDS = (
    "{} // /* 'mg' 'cm' "
    "and or xor implies div mod is as in contains true false asc desc $this $index $total >= <= != !~ "
    "%context %resource %rootResource %ucum year months weeks day hours minute seconds millisecond "
    "'1' '%' @2020 @2020-02-29 @T10:30 @2020-01-01T00:00:00Z System. FHIR. Quantity Patient Observation item "
    "answer value name given linkId coding code entry resource resourceType contained extension valueDecimal "
    "valueString _value \\u00e9"
)


def main() -> int:
    """The status of the whole run: 0 without a finding, 1 with one, 2 where nothing could be run."""
    arguments = _arguments()
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("nothing was fuzzed: atheris is not installed (pip install '.[fuzz]')\n")
        return 2
    if arguments.inside:
        _fuzz(arguments.target[0], arguments.libfuzzer)
        return 0
    from .seeds import RESOURCES, STARTS
    from .targets import TARGETS

    names = arguments.target or sorted(TARGETS)
    failed = False
    for name in names:
        corpus = arguments.corpus / name
        corpus.mkdir(parents=True, exist_ok=True)
        starts = STARTS.get(name) or tuple(json.dumps(one, default=_plain) for one in RESOURCES)
        for number, text in enumerate(starts):
            (corpus / f"start-{number}").write_text(text, "utf-8")
        findings = arguments.corpus / "findings"
        findings.mkdir(exist_ok=True)
        words = arguments.corpus / "words"
        words.write_text(_dictionary(), "utf-8")
        options = [
            f"-max_total_time={max(arguments.seconds // len(names), 1)}",
            f"-artifact_prefix={findings}/{name}-",
            f"-dict={words}",
            "-timeout=20",
            "-rss_limit_mb=2048",
            f"-max_len={1000 if name == 'resources' else 400}",
            "-print_final_stats=1",
            str(corpus),
        ]
        command = [sys.executable, "-m", "tests.fuzz.fhirpath", "--inside", name, "--", *options]
        started = time.monotonic()
        status = subprocess.run(command, check=False).returncode
        sys.stdout.write(f"{name}: {time.monotonic() - started:.0f} s, status {status}\n")
        sys.stdout.flush()
        failed = failed or status != 0
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.fhirpath", description=__doc__)
    parser.add_argument("target", nargs="*", help="what to fuzz; all if none is named")
    parser.add_argument("--seconds", type=int, default=600, help="how long in total")
    parser.add_argument("--corpus", type=Path, default=Path(tempfile.gettempdir()) / "fhirpath-fuzz")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = sys.argv[1:]
    split = given.index("--") if "--" in given else len(given)
    found = parser.parse_args(given[:split])
    found.libfuzzer = given[split + 1 :]
    return found


def _fuzz(name: str, options: list[str]) -> None:
    """Fuzzes one target in this process; libFuzzer ends the process itself."""
    import atheris

    with atheris.instrument_imports(include=["service.fhirpath"]):
        from .targets import TARGETS
    target = TARGETS[name]

    def once(data: bytes) -> None:
        # Bytes that are no UTF-8 become halves of characters: texts that callers can hold too.
        target(data.decode("utf-8", "surrogateescape"))

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


def _dictionary() -> str:
    from service.fhirpath.functions import FUNCTIONS

    words = [*_WORDS.split(), *(f"{name}(" for name in sorted(FUNCTIONS))]
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return "".join(f'"{word}"\n' for word in escaped)


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
