"""The registry's copy in the warehouse: all of it, as it was at one moment, reloaded in one transaction."""

import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from redshift_connector.core import Connection

from iot_pipeline.warehouse import registry_export, statements
from iot_pipeline.warehouse.tables import LandingTable, registry_tables
from iot_pipeline.warehouse.transaction import retried, run, writing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "registry/"

# Tables whose rows are versions of a thing, each valid for a time.
VERSIONED = ("site_versions", "device_versions")


class SnapshotMismatchError(RuntimeError):
    """A table of the warehouse's copy does not hold what the snapshot does. Rolled back; the previous copy stands."""


@dataclass(frozen=True)
class SnapshotLoad:
    """What was loaded: rows by table, and how many versions were recorded since the previous snapshot."""

    rows: dict[str, int]
    recorded: int


@dataclass(frozen=True)
class SnapshotLoader:
    """Copies a registry into the warehouse by way of a bucket; the connection's autocommit is off."""

    connection: Connection
    s3: "S3Client"
    bucket: str
    role_arn: str
    progress: Callable[[str], None] = lambda _: None

    def load(self, registry: psycopg.Connection[Any]) -> SnapshotLoad:
        """Write a snapshot to `registry/v=<build>/<table>/`, load it, then remove the versions before it.

        Raises SnapshotMismatchError, with nothing changed in the warehouse, if a table's count is not the snapshot's.
        """
        done, version = retried(lambda: self._replace(registry), self.progress)
        self._remove_before(version)
        return done

    def _replace(self, registry: psycopg.Connection[Any]) -> tuple[SnapshotLoad, str]:
        # The snapshot is taken while other writers wait, so that no older one can come after it.
        with writing(self.connection):
            version = f"{PREFIX}v={datetime.now(UTC):%Y%m%dT%H%M%S%f}_{uuid.uuid4().hex[:8]}/"
            snapshot = registry_export.snapshot(registry)
            recorded = 0
            for table in registry_tables():
                rows = snapshot[table.name]
                if table.name in VERSIONED:
                    recorded += self._recorded(table, rows)
                self._reload(table, rows, version)
        return SnapshotLoad({name: rows.num_rows for name, rows in snapshot.items()}, recorded), version

    def _recorded(self, table: LandingTable, rows: pa.Table) -> int:
        ((last,),) = run(self.connection, statements.last_recorded(table))
        if last is None:
            return int(rows.num_rows)
        return int(pc.sum(pc.greater(rows["recorded_at"], pa.scalar(last, pa.timestamp("us")))).as_py() or 0)

    def _reload(self, table: LandingTable, rows: pa.Table, version: str) -> None:
        run(self.connection, statements.delete_all(table))
        if rows.num_rows:
            body = io.BytesIO()
            pq.write_table(rows, body)
            key = f"{version}{table.name}/rows.parquet"
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.getvalue())
            location = f"s3://{self.bucket}/{version}{table.name}/"
            run(self.connection, statements.copy_registry(table, location, self.role_arn))
        ((loaded,),) = run(self.connection, statements.count_all(table))
        if loaded != rows.num_rows:
            raise SnapshotMismatchError(
                f"{table.full_name}: the registry has {rows.num_rows} rows, loaded {loaded}. Rolled back, the previous "
                "copy stands; look for another session that writes to this schema"
            )
        self.progress(f"{table.full_name}: {loaded:,} rows")

    def _remove_before(self, version: str) -> None:
        """Nobody reads a version after its load, and those before are either superseded or were never loaded."""
        for keys in self._keys_before(version):
            answer = self.s3.delete_objects(
                Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
            if answer.get("Errors"):
                raise RuntimeError(f"S3 did not delete {answer['Errors']}; the next snapshot will try again")

    def _keys_before(self, version: str) -> Iterator[list[str]]:
        # A page has at most 1,000 keys, which is what one call deletes (S3 API, ListObjectsV2 and DeleteObjects).
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{PREFIX}v="):
            keys = [item["Key"] for item in page.get("Contents", []) if item["Key"] < version]
            if keys:
                yield keys
