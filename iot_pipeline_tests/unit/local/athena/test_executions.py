"""Executions: those that have ended are remembered in a file, for as long as the server runs."""

import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from duckdb.sqltypes import DuckDBPyType

from infra.local.athena.errors import ApiError
from infra.local.athena.queries.execution import Execution
from infra.local.athena.queries.executions import Executions
from infra.local.athena.queries.results import TextResult, column_info
from infra.local.athena.queries.workgroups import WorkGroup

COLUMNS = [f"column_{number}" for number in range(25)]
PEOPLE, BUILDS = WorkGroup("people", {}), WorkGroup("builds", {})


class Runner:
    """Gives each statement columns and rows; `SLOW` waits until it may end, `WRONG` fails."""

    def __init__(self) -> None:
        self.may_end = threading.Event()

    def run(self, execution: Execution) -> None:
        if execution.sql == "SLOW":
            assert self.may_end.wait(60)
        if execution.sql == "WRONG":
            raise ApiError("InvalidRequestException", "there is no such table")
        execution.columns = [column_info(name, DuckDBPyType("DOUBLE")) for name in COLUMNS]
        execution.rows = TextResult([[str(number) for number in range(100)]])


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.fixture
def executions(tmp_path: Path, runner: Runner) -> Iterator[Executions]:
    (tmp_path / "history").write_text("of an earlier server")
    found = Executions(runner, tmp_path / "history")
    yield found
    runner.may_end.set()
    found.shutdown()


def _asked(sql: str, workgroup: WorkGroup = PEOPLE) -> Execution:
    return Execution(sql, "lake", workgroup, "s3://results/")


def _ended(executions: Executions, execution: Execution) -> Execution:
    deadline = time.monotonic() + 60
    while not (found := executions.get(execution.id)).completed:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return found


def test_what_has_ended_is_as_it_was(executions: Executions) -> None:
    asked = executions.start(_asked("SELECT '\ud800'"), None)
    found = _ended(executions, asked)
    assert found.describe() == asked.describe()
    assert found.describe()["Query"] == "SELECT '\ud800'"
    assert found.rows.page(0, 1) == [[str(number) for number in range(100)]]
    assert [column["Name"] for column in found.columns] == COLUMNS
    wrong = _ended(executions, executions.start(_asked("WRONG"), None))
    assert (wrong.state, wrong.reason) == ("FAILED", "there is no such table")
    with pytest.raises(ApiError, match="was not found"):
        executions.get("another")


def test_the_newest_is_listed_first_whichever_ends_first(executions: Executions, runner: Runner) -> None:
    first = executions.start(_asked("SLOW"), None)
    others = [executions.start(_asked(f"SELECT {number}"), None) for number in range(3)]
    builds = executions.start(_asked("SELECT 3", BUILDS), None)
    for each in (*others, builds):
        _ended(executions, each)
    expected = [each.id for each in (*reversed(others), first)]
    assert executions.ids("people") == expected
    runner.may_end.set()
    _ended(executions, first)
    assert executions.ids("people") == expected
    assert executions.ids("builds") == [builds.id]


def test_a_token_starts_one_execution(executions: Executions) -> None:
    once = executions.start(_asked("SELECT 1"), "token")
    again = executions.start(_asked("SELECT 1"), "token")
    _ended(executions, once)
    assert {again.id, executions.start(_asked("SELECT 1"), "token").id} == {once.id}
    with pytest.raises(ApiError, match="Idempotent parameters do not match"):
        executions.start(_asked("SELECT 2"), "token")
    assert executions.ids("people") == [once.id]


def test_what_has_ended_takes_no_memory_but_its_token(executions: Executions) -> None:
    def run(first: int, count: int) -> None:
        for number in range(first, first + count):
            started = executions.start(_asked(f"SELECT {number} {'x' * 20_000}"), f"{number:036}")
        _ended(executions, started)

    run(0, 100)
    tracemalloc.start()
    run(100, 1_000)
    size, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 1_000 < 2_000
