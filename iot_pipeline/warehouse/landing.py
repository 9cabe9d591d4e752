"""Making and extending the landing tables. Only ever adds: what a load or a reader relies on is not changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from redshift_connector.core import Connection

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.content_adoption import adopt_content
from iot_pipeline.warehouse.tables import LOADS, WRITE_LOCK, LandingColumn, LandingTable, landing_tables
from iot_pipeline.warehouse.transaction import run, writing

# How the catalog names the types. Lengths are not compared, nor is SUPER, whose name there AWS does not document.
_CATALOG_NAMES = {
    "varchar": "character varying",
    "timestamp": "timestamp without time zone",
    "double precision": "double precision",
    "bigint": "bigint",
    "boolean": "boolean",
}


# The change by which a warehouse of a release before content ids is known.
_CONTENT_ADDED = statements.add_column(LOADS, next(column for column in LOADS.columns if column.name == "content"))


class LandingError(RuntimeError):
    """A landing table is not what the contract says, in a way that adding columns does not mend."""


def migrate(connection: Connection, contract: Contract, catalog: Catalog | None = None) -> list[str]:
    """Create the landing tables that are missing and add columns new in the contract; the statements that ran.

    What was loaded before content ids were noted gets those of the catalog's partitions, or is loaded again without a
    catalog.

    Raises LandingError, with nothing changed, if a column has another type or is no longer in the contract, or if the
    administrator has not made the schemas yet.
    """
    wanted = landing_tables(contract)
    missing = _changes(connection, wanted)
    connection.rollback()
    if not missing:
        return []
    _require_schemas(connection, wanted)
    run(connection, statements.create_table(WRITE_LOCK))
    connection.commit()
    with writing(connection):
        # Looked at again: another migration may have been at work while this one waited.
        changes = _changes(connection, wanted)
        for sql in changes:
            run(connection, sql)
        if catalog and _CONTENT_ADDED in changes:
            changes += adopt_content(connection, catalog, tables(contract).curated_telemetry)
    return changes


def _require_schemas(connection: Connection, wanted: Iterable[LandingTable]) -> None:
    existing = {name for (name,) in run(connection, statements.existing_schemas())}
    if missing := sorted({table.schema for table in wanted} - existing):
        raise LandingError(
            f"the warehouse has no schema {', '.join(missing)}. As its administrator, run: "
            "python -m iot_pipeline.warehouse migrate"
        )


def _changes(connection: Connection, wanted: Iterable[LandingTable]) -> list[str]:
    existing: dict[str, dict[str, str]] = defaultdict(dict)
    for full_name, column, kind in run(connection, statements.existing_columns()):
        existing[full_name][column] = kind
    return [sql for table in wanted for sql in _changes_of(table, existing[table.full_name])]


def _changes_of(table: LandingTable, types: Mapping[str, str]) -> list[str]:
    if not types:
        return [statements.create_table(table)]
    declared = {column.name: _catalog_name(column) for column in table.columns}
    gone = sorted(types.keys() - declared)
    if gone:
        raise LandingError(
            f"{table.full_name} has columns that the contract no longer has: {', '.join(gone)}. Nothing was changed. "
            "Keep them in the contract, or drop them by hand when no model reads them"
        )
    changed = [
        f"{name} is {types[name]}, the contract says {kind}"
        for name, kind in declared.items()
        if kind and types.get(name, kind) != kind
    ]
    if changed:
        raise LandingError(
            f"{table.full_name}: {'; '.join(changed)}. Nothing was changed. Give what has a new type a new name"
        )
    return [statements.add_column(table, column) for column in table.columns if column.name not in types]


def _catalog_name(column: LandingColumn) -> str | None:
    return _CATALOG_NAMES.get(column.type.partition("(")[0])
