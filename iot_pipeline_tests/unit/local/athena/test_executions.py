"""Executions that are remembered for as long as the server runs."""

import tracemalloc

from duckdb.sqltypes import DuckDBPyType

from infra.local.athena.queries.executions import Execution
from infra.local.athena.queries.results import column_info
from infra.local.athena.queries.workgroups import WorkGroup

COLUMNS = [f"column_{number}" for number in range(25)]


def execution(number: int, workgroup: WorkGroup) -> Execution:
    found = Execution(f"SELECT {number}", "lake", workgroup, "s3://results/")
    found.columns = [column_info(name, DuckDBPyType("DOUBLE")) for name in COLUMNS]
    return found


def test_an_execution_is_remembered_in_two_kilobytes() -> None:
    workgroup = WorkGroup("people", {})
    kept = [execution(0, workgroup)]
    tracemalloc.start()
    kept += [execution(number, workgroup) for number in range(1, 1_001)]
    size, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 1_000 < 2_000
    assert kept[0].describe()["Query"] == "SELECT 0"
    assert [column["Name"] for column in kept[-1].columns] == COLUMNS
