"""The threat model: every control names a test, and that test exists."""

import ast
import re
from pathlib import Path

import pytest

from infra.local.servers.checkout import CHECKOUT

TESTS = CHECKOUT / "iot_pipeline_tests"
PAGE = (CHECKOUT / "docs" / "threat-model.md").read_text()
ROWS = re.findall(r"^\| ([STRIDE]) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
# Threats of which the page says that nothing tests what is done about them.
UNTESTED = 2


def _functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("test", sorted({test for *_, test in ROWS} - {"none"}))
def test_a_control_s_test_exists(test: str) -> None:
    path, _, name = test.strip("`").partition("::")
    assert (TESTS / path).is_file()
    assert not name or name in _functions(TESTS / path)
    assert name or any(function.startswith("test_") for function in _functions(TESTS / path))


def test_every_threat_has_a_row_that_is_read() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| [A-Z] \|", line)]
    assert len(ROWS) == len(rows) > 40
    assert sum(test == "none" for *_, test in ROWS) == UNTESTED


@pytest.mark.parametrize("boundary", range(1, 8))
def test_each_boundary_is_looked_at_from_all_six_sides(boundary: int) -> None:
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = [each for each in section if each.startswith(f"{boundary}. ")]
    assert set(re.findall(r"^\| ([A-Z]) \|", text, re.MULTILINE)) == set("STRIDE")
