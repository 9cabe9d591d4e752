"""Glue's tables as a deployment of another contract has them."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake.lake import Lake

_KEPT = ("Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")


@contextmanager
def tables_of(lake: Lake, contract: Contract) -> Iterator[None]:
    """Give the tables of what is built the columns of a contract, and take them away again."""
    glue, database = lake.catalog.glue, lake.catalog.database
    zones = tables(contract)
    before: list[Any] = []
    for table in (zones.judged_telemetry, zones.ledger, zones.curated_telemetry):
        found: dict[str, Any] = {**glue.get_table(DatabaseName=database, Name=table.name)["Table"]}
        before.append({key: found[key] for key in _KEPT})
        wider = copy.deepcopy(before[-1])
        wider["StorageDescriptor"]["Columns"] = [{"Name": it.name, "Type": it.type} for it in table.columns]
        glue.update_table(DatabaseName=database, TableInput=wider)
    try:
        yield
    finally:
        for kept in before:
            glue.update_table(DatabaseName=database, TableInput=kept)
