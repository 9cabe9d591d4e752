"""The page that answers the audit: every finding has a row, and every test that a row names is there."""

import ast
import re

import pytest

from infra.local.servers.checkout import CHECKOUT

PAGE = (CHECKOUT / "docs" / "audit.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:unit|integration|e2e)/[\w/]+\.py)::(\w+)`", PAGE)))
_HEADS = ("| Finding |", "| Decision |")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(_HEADS)]


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda name: name)
def test_every_test_that_is_named_is_there(file: str, test: str) -> None:
    tree = ast.parse((CHECKOUT / "iot_pipeline_tests" / file).read_text(encoding="utf-8"))
    assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_every_row_names_a_test(row: str) -> None:
    finding, answer, tests = row.strip("| ").split(" | ")
    assert finding
    assert answer
    assert re.search(r"`\w+/[\w/]+\.py::test_\w+`", tests)


def test_every_finding_and_every_decision_has_a_row() -> None:
    numbers = [int(number) for number in re.findall(r"^\| (\d+)\. ", PAGE, re.MULTILINE)]
    assert numbers == [*range(1, 15), *range(1, 10)]
