"""Erasing from the warehouse and the registry, and walking every text column of both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.sql import SQL, Identifier
from redshift_connector.core import Connection

from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.subject import Subject
from iot_pipeline.registry import things
from iot_pipeline.registry.decommission import decommission
from iot_pipeline.registry.errors import RegistryError, UnknownReferenceError
from iot_pipeline.registry.versions import MayOverwrite, nothing

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

# Tables that are filled by loads of their own are not written to here: what a load noted must stay true.
_MODEL_SCHEMAS = ("staging", "marts", "reporting")
_COLUMNS = """
SELECT columns.table_schema, columns.table_name, columns.column_name
FROM information_schema.columns AS columns
JOIN information_schema.tables AS tables
    ON tables.table_schema = columns.table_schema AND tables.table_name = columns.table_name
WHERE tables.table_type = 'BASE TABLE'
    AND columns.table_schema NOT IN ('pg_catalog', 'information_schema', 'pg_internal')
    AND columns.data_type NOT IN ({plain})
ORDER BY 1, 2, 3
"""
# Types in which no name can stand; whatever else there is, is looked at as text.
_PLAIN = (
    "'bigint', 'integer', 'smallint', 'boolean', 'double precision', 'real', 'numeric', 'date', "
    "'timestamp without time zone', 'timestamp with time zone', 'interval', 'oid', 'xid', 'inet'"
)


@dataclass(frozen=True)
class WarehouseEraser:
    """Erases a subject from the models of one warehouse; the connection's autocommit is off."""

    connection: Connection
    subject: Subject
    progress: Callable[[str], None] = lambda _: None

    def erase(self) -> int:
        """Remove the rows of the models that name the subject; how many. What else the models hold follows when they
        are next built: the hours and days concerned count as stale, since their loads have changed.
        """
        erased = 0
        for schema, table, column, values in self._hits():
            if schema in _MODEL_SCHEMAS:
                places = ", ".join(["%s"] * len(values))
                with self.connection.cursor() as cursor:
                    cursor.execute(f'DELETE FROM "{schema}"."{table}" WHERE "{column}" IN ({places})', values)
                    erased += max(cursor.rowcount, 0)
        self.connection.commit()
        self.progress(f"removed {erased} rows of the warehouse's models")
        return erased

    def found(self) -> Iterator[Found]:
        """Rows that mention the subject, by table and column, in every schema that can be read."""
        for schema, table, column, values in self._hits():
            yield Found("warehouse", f"{schema}.{table}.{column}", len(values))

    def _hits(self) -> Iterator[tuple[str, str, str, list[str]]]:
        """Columns that mention the subject, with the texts that do."""
        columns = self._run(_COLUMNS.format(plain=_PLAIN))
        self.connection.rollback()
        for schema, table, column in columns:
            like = " OR ".join([f'CAST("{column}" AS varchar) LIKE %s'] * len(self.subject.names))
            sql = f'SELECT DISTINCT CAST("{column}" AS varchar) FROM "{schema}"."{table}" WHERE {like}'
            rows = self._run(sql, [f"%{_escaped(name)}%" for name in self.subject.names])
            if values := [str(value) for (value,) in rows if self.subject.mentioned_in(str(value))]:
                yield schema, table, column, values
        self.connection.rollback()

    def _run(self, sql: str, values: list[str] | None = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or ())
            return [tuple(row) for row in cursor.fetchall()]


@dataclass(frozen=True)
class RegistryEraser:
    """Ends a subject's devices in AWS IoT Core, and finds what the registry and AWS IoT Core still hold of it."""

    connection: psycopg.Connection[Any]
    iot: "IoTClient"
    subject: Subject
    progress: Callable[[str], None] = lambda _: None

    def revoke(self, may_overwrite: MayOverwrite = nothing) -> int:
        """Decommission the devices that are active: their certificates are revoked, so that nothing more comes."""
        revoked = 0
        for device in sorted(self.subject.devices):
            try:
                decommission(self.connection, self.iot, device, may_overwrite=may_overwrite)
                revoked += 1
            except UnknownReferenceError:
                if things.find(self.iot, device) == "device":
                    things.revoke(self.iot, device, None)
        self.progress(f"{revoked} devices are decommissioned")
        return revoked

    def remove_things(self) -> None:
        """Delete the devices' things and certificates. A decommissioned device keeps its name, so that nobody takes its
        history; of an erased one there is none.
        """
        query = SQL("SELECT certificate_arn FROM {} WHERE device_id = %s AND certificate_arn IS NOT NULL")
        for device in sorted(self.subject.devices):
            rows = self.connection.execute(query.format(Identifier("registry", "onboardings")), (device,)).fetchall()
            self.connection.commit()
            arns = {arn for (arn,) in rows}
            if things.find(self.iot, device) != "none":
                arns |= set(things.principals(self.iot, device))
            for arn in sorted(arns):
                things.remove_certificate(self.iot, device, arn)
            things.remove_thing(self.iot, device)

    def found(self, own: str | None) -> Iterator[Found]:
        """Rows of any table that mention the subject; but the row of the erasure `own`, which is at work."""
        for schema, table, column in self.connection.execute(_COLUMNS.format(plain=_PLAIN).encode()).fetchall():
            condition = SQL(" OR ").join([SQL("{}::text LIKE %s").format(Identifier(column))] * len(self.subject.names))
            values: list[Any] = [f"%{_escaped(name)}%" for name in self.subject.names]
            if (table, column) == ("erasures", "subject") and own is not None:
                condition, values = SQL("({}) AND erasure_id <> %s").format(condition), [*values, own]
            query = SQL("SELECT {}::text FROM {} WHERE {}").format(
                Identifier(column), Identifier(schema, table), condition
            )
            texts = [text for (text,) in self.connection.execute(query, values).fetchall()]
            if count := sum(self.subject.mentioned_in(text) for text in texts):
                yield Found("registry", f"{schema}.{table}.{column}", count)
        self.connection.commit()
        for device in sorted(self.subject.devices):
            if things.find(self.iot, device) != "none":
                yield Found("AWS IoT Core", f"thing {device}", 1)


def devices_of(connection: psycopg.Connection[Any], tenant: str) -> frozenset[str]:
    """The ids of a tenant's devices."""
    rows = connection.execute("SELECT device_id FROM registry.device_keys WHERE tenant_id = %s", (tenant,)).fetchall()
    connection.commit()
    return frozenset(device for (device,) in rows)


def tenants_of(connection: psycopg.Connection[Any], device: str) -> frozenset[str]:
    """The tenant of a device, if the registry has it."""
    rows = connection.execute("SELECT tenant_id FROM registry.device_keys WHERE device_id = %s", (device,)).fetchall()
    connection.commit()
    return frozenset(tenant for (tenant,) in rows)


def require_name(kind: str, name: str) -> None:
    """Raise RegistryError for a name that no device and no tenant can have, as one that would be found everywhere."""
    if not name or not all(character.isalnum() or character in "_.:-" for character in name):
        raise RegistryError(f"{name!r} is no name of a {kind}")


def _escaped(name: str) -> str:
    """As a pattern of LIKE has it."""
    return name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
