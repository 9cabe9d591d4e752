"""What a viewer may ask about: the relations by name, each with the condition that keeps it to his tenant.

Tenants have what holds rows of theirs under a column that says so. The books of the pipeline are for the platform's own
people: `raw_telemetry` and `raw_lines` have the tenant only inside what was sent, `judged_telemetry` and `ledger` count
every reception and name objects that several tenants share, which answers no question of a tenant that the others do
not.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from iot_pipeline.contract import CONTRACT, Contract, Table, tables
from iot_pipeline.contract.tables import PARTITION_KEYS, registry_history
from iot_pipeline.lake.statements import DEVICE_VIEW, TELEMETRY_VIEW

# What the view of devices takes from the registry, where the device may have been another tenant's.
_OF_REGISTRY = (
    *("device_name", "device_status", "model_id", "model_name", "manufacturer", "registered_tenant", "tenant_name"),
    *("registered_site", "site_name", "customer_id", "customer_name", "country", "timezone"),
)
_REGISTERED = "registered_tenant"
_DATABASE = re.compile("[a-z][a-z0-9_]{0,60}")


@dataclass(frozen=True)
class Relation:
    """A table or view. `tenant` names the column that says whose a row is; None keeps it to the platform's own people.

    `shared` are columns that hold something of the tenant named in the column `registered`: null for any other.
    """

    name: str
    columns: tuple[str, ...]
    tenant: str | None
    shared: frozenset[str] = frozenset()
    registered: str | None = None


def relations(contract: Contract = CONTRACT) -> Mapping[str, Relation]:
    """The relations of the lake, by name."""
    lake = tables(contract)
    curated = tuple(column.name for column in lake.curated_telemetry.columns) + PARTITION_KEYS
    sites, devices = registry_history()
    found = [
        Relation(TELEMETRY_VIEW, curated, "tenant"),
        Relation(DEVICE_VIEW, (*curated, *_OF_REGISTRY), "tenant", frozenset(_OF_REGISTRY), _REGISTERED),
        _relation(lake.curated_telemetry, "tenant"),
        _relation(lake.daily_telemetry, "tenant"),
        _relation(lake.quarantined_telemetry, "tenant"),
        _relation(lake.alert_history, "tenant"),
        _relation(sites, "tenant_id"),
        _relation(devices, "tenant_id"),
        *(_relation(each, None) for each in (lake.raw_telemetry, lake.raw_lines, lake.judged_telemetry, lake.ledger)),
    ]
    return {relation.name: relation for relation in found}


def _relation(table: Table, tenant: str | None) -> Relation:
    names = [column.name for column in table.columns]
    return Relation(table.name, (*names, *(key for key in table.partition_keys if key not in names)), tenant)


@dataclass(frozen=True)
class Scope:
    """Whose rows a query sees: those of a tenant, or all (None). `rows`: how many it may give; None sets no limit.

    Raises ValueError for the name of a database that could be mistaken for something else.
    """

    database: str
    tenant: str | None
    rows: int | None = None
    relations: Mapping[str, Relation] = field(default_factory=relations)

    def __post_init__(self) -> None:
        """The database's name is written into every query."""
        if not _DATABASE.fullmatch(self.database):
            raise ValueError(f"{self.database!r} is no name of a Glue database of the platform")

    def visible(self) -> Iterable[str]:
        """The names of what may be asked about."""
        return sorted(name for name, each in self.relations.items() if self.tenant is None or each.tenant)
