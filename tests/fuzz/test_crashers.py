"""Inputs that once broke the engine, or are of the kinds that break engines, run as plain tests.

An input that fuzzing finds is added here, shortened, before the engine is mended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .seeds import RESOURCES, STARTS
from .targets import TARGETS

_DEEP_ITEM = '{"linkId":"a","item":[' * 400 + "{}" + "]}" * 400
_CASES: dict[str, tuple[str, ...]] = {
    "parse": (
        *("(" * 5_000, "-" * 5_000 + "1", "1" + "+1" * 5_000, "a" + ".a" * 5_000, "a[" * 5_000, "{" * 100),
        *(
            "'" * 99_999,
            "`\\",
            "'\\u12",
            "'\\ud83d\\udd25'",
            "'\ud800'",
            "%",
            "%''",
            "@",
            "@T",
            "@2020-13",
            "$",
        ),
        *("4 days days", "-2147483648", "2147483648", "0" * 5_000, "1.", ".1", "a.1", "//", "/*", "/**/1/*/"),
        *("sort(-(-a) desc)", "a is b.c", "a as System.System", "`a`.`\\`b`", "a\x00", "\ufeff1", "٣"),
    ),
    "evaluate": (
        *(
            "0repeat($this)",
            "1repeat(descendants())",
            "0(1).repeat($this + 1)",
            "0'a'.replace('', 'b' & 'c')",
        ),
        *(
            "02.power(1000000000)",
            "0(-8).power(0.5)",
            "01.0.exp().exp().exp().exp()",
            "00.0.ln()",
            "01 / 0.0",
        ),
        *("01 'm999999999' > 1 'm'", "01 '10*999' = 1 '1'", "0@9999-12-31 + 1 day", "0@2020 + 1.0e5 's'"),
        *("0aggregate($total & 'aaaaaaaaaa', 'a')", "0item.select(%resource.item.select(%resource.item))"),
        *("3$this", "4name.given", "4descendants().distinct()", "5name | birthDate | active", "0%c.take(%c)"),
        *(
            "0'zz'.decode('hex')",
            "0'a'.encode('no')",
            "0'<a>&#x110000;'.unescape('html')",
            "0%a.sort($this & 1)",
        ),
    ),
    "patterns": (
        "((a{999}){999}){999}\naaaa\n$1",
        "(?=a)\na\n",
        "\\1\na\n$9",
        "(" * 900 + "a" + ")" * 900 + "\na\n$0",
        "[\ud800]\n\ud800\n\ud800",
        "(?<n>a)\na\n${m}",
        "\\\na\n\\",
        "a" * 3_000 + "\na\n",
        "^(a+)+$\n" + "a" * 300 + "!\n",
    ),
    "values": (
        *("2020-02-29\n1 year", "0001-01-01\n-1 'd'", "9999-12-31T23:59:60Z\n1 'ms'", "24:00\n1 hour"),
        *("1" * 100 + "." + "1" * 100 + "\n" + "9" * 100, "-0.0\n0", "+1\n-2147483648", "1e5\n1E-5"),
        *("1 'm.m.m/s2/(kg.m)'\n1 '((((m))))'", "1 ''\n1 '{a}'", "1 'Cel'\n0 'K'", "1 '%'\n100 '[ppm]'"),
        *("2020-01-01T00:00:00+14:00\n2020-01-01T00:00:00-12:00", "T10\n1 'a'", "é\n\ud800", "\n"),
    ),
    "resources": (
        *("null", "[]", "[[[1]]]", '"text"', "1e400", "-0.0", "NaN", "[NaN, Infinity]", "9" * 4_000),
        *(
            '{"resourceType": 1}',
            '{"resourceType": ["Patient"]}',
            '{"resourceType": "Element"}',
            '{"": {"": 1}}',
        ),
        '{"resourceType": "Patient", "name": [[{}]], "_name": 1, "birthDate": {}, "_birthDate": [null]}',
        '{"resourceType": "Patient", "contained": [{"resourceType": "Odd"}, null, 1], "deceasedBoolean": {}}',
        '{"resourceType": "Observation", "valueQuantity": {"value": NaN, "unit": "mg"}}',
        '{"resourceType": "Observation", "valueQuantity": {"value": 1e999999, "unit": 3}}',
        '{"resourceType": "Bundle", "entry": [{"resource": "a"}, {"resource": {"resourceType": "Bundle"}}]}',
        f'{{"resourceType": "QuestionnaireResponse", "item": [{_DEEP_ITEM}]}}',
    ),
}


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_no_input_raises_but_the_two_errors(target: str) -> None:
    starts = STARTS.get(target) or tuple(json.dumps(one) for one in RESOURCES)
    for text in (*starts, *_CASES[target]):
        TARGETS[target](text)


def test_a_target_tells_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.fhirpath.to_text", lambda _tree: "another")
    with pytest.raises(AssertionError, match="another tree"):
        TARGETS["parse"]("1 + 1")


def test_without_atheris_nothing_is_fuzzed_and_it_says_so(tmp_path: Path) -> None:
    code = (
        "import importlib.util, sys\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'atheris' else real(name, *a)\n"
        "sys.argv = ['fuzz', '--seconds', '1', '--corpus', sys.argv[1]]\n"
        "from tests.fuzz.fhirpath import main\n"
        "raise SystemExit(main())\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "nothing was fuzzed: atheris is not installed (pip install '.[fuzz]')\n"
