"""The warehouse's landing tables: curated readings and alerts derived from the lake's, copies of the registry's."""

from dataclasses import dataclass

from iot_pipeline.contract import Contract, tables
from iot_pipeline.warehouse.registry_export import SCHEMAS

# Redshift type of each Glue type that a curated column may have. Timestamps are UTC without a zone.
_TYPES = {
    "string": "varchar(256)",
    "timestamp": "timestamp",
    "double": "double precision",
    "bigint": "bigint",
    "map<string,string>": "super",
}
# Texts of the alerts' history, which a person may have written, have so many bytes at most.
_TYPES_OF_EPISODES = {**_TYPES, "string": "varchar(1024)", "boolean": "boolean"}


@dataclass(frozen=True)
class LandingColumn:
    """A column: its name and its Redshift type."""

    name: str
    type: str


@dataclass(frozen=True)
class LandingTable:
    """A table that a load fills. `physical` is what follows its columns: distribution and sort keys."""

    schema: str
    name: str
    columns: tuple[LandingColumn, ...]
    physical: str = ""

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)


def readings(contract: Contract) -> LandingTable:
    """`lake.readings`: the curated table's columns in its order. Raises KeyError for a Glue type without a mapping."""
    columns = tables(contract).curated_telemetry.columns
    return LandingTable(
        "lake",
        "readings",
        tuple(LandingColumn(column.name, _TYPES[column.type]) for column in columns),
        "DISTKEY (device_id)\nCOMPOUND SORTKEY (event_time, device_id)",
    )


def _table(schema: str, name: str, /, **columns: str) -> LandingTable:
    return LandingTable(schema, name, tuple(LandingColumn(column, kind) for column, kind in columns.items()))


LOADS = _table(
    "lake",
    "loads",
    event_hour="timestamp",
    location="varchar(1024)",
    readings="bigint",
    duplicates="bigint",
    conflicts="bigint",
    loaded_at="timestamp",
    content="varchar(64)",
)


def episodes(contract: Contract) -> LandingTable:
    """`lake.alert_episodes`: the columns of the alerts' history in its order."""
    columns = tables(contract).alert_history.columns
    return LandingTable(
        "lake",
        "alert_episodes",
        tuple(LandingColumn(column.name, _TYPES_OF_EPISODES[column.type]) for column in columns),
        "DISTSTYLE ALL\nCOMPOUND SORTKEY (opened_at)",
    )


EPISODE_LOADS = _table(
    "lake",
    "alert_loads",
    opened_date="timestamp",
    location="varchar(1024)",
    episodes="bigint",
    loaded_at="timestamp",
    content="varchar(64)",
)

# These hold nothing: who locks one follows the others that do, and readers wait for none of them. Dagster's pools are
# no locks: runs that ask for a place at the same moment may all be let in.
WRITE_LOCK = _table("lake", "write_lock", held="boolean")
BUILD_LOCK = _table("lake", "build_lock", held="boolean")

# The registry keeps its labels within 128 bytes; a model's metrics are one comma-separated text.
_REGISTRY_TYPES = {"string": "varchar(128)", "double": "double precision", "timestamp[us]": "timestamp"}
_LONGER = {"metrics": "varchar(1024)"}


def registry_tables() -> tuple[LandingTable, ...]:
    """`registry.*`: the columns of the registry's snapshot in its order."""
    return tuple(
        _table("registry", name, **{f.name: _LONGER.get(f.name, _REGISTRY_TYPES[str(f.type)]) for f in schema})
        for name, schema in SCHEMAS.items()
    )


def landing_tables(contract: Contract) -> tuple[LandingTable, ...]:
    """All landing tables."""
    alerts = (episodes(contract), EPISODE_LOADS)
    return (WRITE_LOCK, BUILD_LOCK, readings(contract), LOADS, *alerts, *registry_tables())
