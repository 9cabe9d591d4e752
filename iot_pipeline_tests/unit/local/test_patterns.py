"""No regular expression of the local AWS takes more than linear time, whatever text it is given.

Told from the expressions themselves (`support/backtracking.py`); then each is run, in a process that is killed if it
hangs, over long texts of its own making that end in a way it cannot match.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from infra.local.athena.sql.casts import _PLAIN
from infra.local.athena.sql.macros import REFUSING
from infra.local.emulator.redshift_data.request_model import model_patterns
from infra.local.servers.wildcards import wildcard_pattern
from iot_pipeline_tests.support import pumping
from iot_pipeline_tests.support.backtracking import more_than_linear
from iot_pipeline_tests.support.patterns import Unseen, Used, used_patterns

ROOT = Path(__file__).parents[3]
LOCAL = ROOT / "infra" / "local"

# What the rules cannot see: why it is linear all the same.
REVIEWED = {
    "infra/local/athena/queries/execution_parameters.py: _TOKEN": "nothing after the loop can fail: the text ends",
    "infra/local/athena/sql/bounds.py: _TOKEN": "a comment without an end is all taken by the next choice",
    "infra/local/athena/sql/java_json.py: _STEP": "where it could begin anew is a quote, at which the loop has ended",
    "infra/local/redshift/lexical.py: _GAPS": "its choices begin unlike and are possessive; nothing follows",
    "infra/local/redshift/lexical.py: _COUNTED": "a comment without an end is all taken by the next choice",
}
# Expressions made as the program runs: some, as they are made.
MADE = {
    "infra/local/athena/sql/casts.py": list(_PLAIN.values()),
    # A statement's own, matched against the empty text alone.
    "infra/local/athena/sql/functions.py": [r"\d+"],
    "infra/local/athena/sql/macros.py": [REFUSING.pattern],
    "infra/local/athena/writing/partition_ddl.py": ["year=([^/]+)/month=([^/]+)/hour=([^/]+)/"],
    "infra/local/emulator/glue/crawler_globs.py": ["[^a-z]", "[a-z]"],
    # Those of botocore's model of the Redshift Data API, for texts whose length is bounded.
    "infra/local/emulator/redshift_data/request_model.py": model_patterns(),
    "infra/local/servers/wildcards.py": [wildcard_pattern("%a%b_%c%", run="%", one="_").pattern],
}


@cache
def found() -> tuple[Used | Unseen, ...]:
    return tuple(used_patterns(LOCAL, ROOT))


def every() -> dict[str, Used]:
    seen = {f"{n} {used.place}": used for n, used in enumerate(found()) if isinstance(used, Used)}
    whole = frozenset({"fullmatch", "match"})
    return seen | {f"{at}: {p}": Used(at, p, re.DOTALL, whole) for at, made in MADE.items() for p in made}


def test_each_expression_is_seen() -> None:
    assert len(every()) > 150
    assert {used.place.split(":")[0] for used in found() if isinstance(used, Unseen)} == set(MADE)
    assert set(REVIEWED) <= {used.place for used in found()}


def test_no_expression_is_more_than_linear() -> None:
    bad = {
        f"{place} {used.pattern!r}": why
        for place, used in every().items()
        if used.place not in REVIEWED
        and (why := more_than_linear(used.pattern, used.flags, searched=used.searched, whole=used.whole))
    }
    assert bad == {}


@pytest.mark.timeout(200)
def test_each_expression_ends_over_long_texts() -> None:
    """A limit no machine is slow enough for: a quadratic one would take hours, an exponential one years."""
    cases = [(used.pattern, int(used.flags), sorted(used.uses)) for used in every().values()]
    done = subprocess.run(
        [sys.executable, "-m", pumping.__name__],
        input=repr(cases),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 3 * len(cases), "texts tried"


BAD = [
    r"a*a*b",
    r"(a+)+b",
    r"(a*)*b",
    r"(a|a)*b",
    r"(a?a?)*b",
    r"(a|ab|b)*c",
    r"x*\s*y?\s*z",
    r"(\w+\s?)*$",
    r".*x.*y",
    r"(?>a*a*)b",
    r"([a-z]+)*=",
    r"(?:[^'\\]+|''|\\.)*'",
    r".*a++b",
    r"(?=a*a*b)c",
    r"(\d+,?)+x",
]
SEARCHED = [r"a*b", r"\s+$", r"\bx.*y"]
GOOD = [
    r"a*b",
    r"\d+\.\d+",
    r"a*+a*b",
    r"(?>a*)a*b",
    r"'(?:[^'\\]++|''|\\.)*+'",
    r"[^,]*,[^,]*,x",
    r"(?: , \w+)*x",
    r"(?>.+? ON )(?>.+ TO )\w+",
]


@pytest.mark.parametrize("pattern", BAD)
def test_what_is_refused(pattern: str) -> None:
    assert more_than_linear(pattern, searched=False)


@pytest.mark.parametrize("pattern", SEARCHED)
def test_what_is_refused_where_it_is_searched(pattern: str) -> None:
    assert more_than_linear(pattern)


@pytest.mark.parametrize("pattern", GOOD)
def test_what_is_let_pass(pattern: str) -> None:
    assert more_than_linear(pattern, searched=False) is None


def test_an_expression_that_hangs_is_caught() -> None:
    """The run over long texts finds what the rules find."""
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-m", pumping.__name__],
            input=repr([(r"(a+)+b", 0, ["match"])]),
            capture_output=True,
            text=True,
            timeout=3,
            check=False,
        )
