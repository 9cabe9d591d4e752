"""The tables that a viewer may ask, described as the contract and Glue do."""

from iot_pipeline.console.query.documents import OpenColumn, OpenTable
from iot_pipeline.console.query.guard import Scope
from iot_pipeline.contract import CONTRACT, Column, tables
from iot_pipeline.contract.tables import PARTITION_KEYS, registry_history
from iot_pipeline.lake.statements import DEVICE_VIEW, TELEMETRY_VIEW

_VIEWS = {
    TELEMETRY_VIEW: "All readings, each once: what to ask first.",
    DEVICE_VIEW: "The same, with what the registry says of device and site at the reading's time.",
}
# What `device_telemetry` calls columns of the registry otherwise.
_RENAMED = {"device_status": "status", "registered_tenant": "tenant_id", "registered_site": "site_id"}


def open_tables(scope: Scope) -> list[OpenTable]:
    """The tables of a scope, with their columns."""
    lake = tables(CONTRACT)
    described = {table.name: table for table in (*lake.all, *registry_history())}
    registry = {column.name: column for table in registry_history() for column in table.columns}
    readings = {column.name: column for column in lake.curated_telemetry.columns}
    found = []
    for name in scope.visible():
        table = described.get(name)
        own = (
            {column.name: column for column in table.columns}
            if table
            else readings
            | {
                each: registry[_RENAMED.get(each, each)]
                for each in scope.relations[name].columns
                if _RENAMED.get(each, each) in registry and each not in readings
            }
        )
        keys = table.partition_keys if table else PARTITION_KEYS
        columns = [_column(each, own.get(each), keys) for each in scope.relations[name].columns]
        found.append(OpenTable(name=name, description=table.description if table else _VIEWS[name], columns=columns))
    return found


def _column(name: str, column: Column | None, keys: tuple[str, ...]) -> OpenColumn:
    comment = column.comment if column else "Of the partition, UTC, zero-padded"
    return OpenColumn(name=name, type=column.type if column else "string", comment=comment, partition=name in keys)
