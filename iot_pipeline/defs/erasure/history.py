"""What Dagster itself has written of whoever is erased: events, configurations, ticks, and what runs have printed."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from iot_pipeline.defs.dagster_internals import compute_logs, storage_connections
from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.stored import Bucket, text_of
from iot_pipeline.erasure.subject import Subject

_ZONE = "Dagster"


class DagsterHistory:
    """The storages of one instance, walked through by every text column of every table."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def found(self, subject: Subject) -> Iterator[Found]:
        """Columns and files that mention the subject."""
        for name, opened in storage_connections(self._instance):
            with opened as connection:
                for table, column, texts in _hits(connection, subject):
                    yield Found(_ZONE, f"{name}: {table}.{column}", len(texts))
        for place, body in self._printed():
            if subject.mentions(text_of(body)):
                yield Found(_ZONE, f"compute log {place}", 1)

    def redact(self, subject: Subject) -> int:
        """Put a word in place of the names, so that what became of runs and assets stays. What was printed of a step
        that names them goes whole, since nothing is read back from it.
        """
        redacted = 0
        for _, opened in storage_connections(self._instance):
            with opened as connection:
                for table, column, texts in list(_hits(connection, subject)):
                    for text in texts:
                        where = table.c[column] == text
                        connection.execute(table.update().where(where).values({column: subject.redacted(text)}))
                    redacted += len(texts)
        for place, body in list(self._printed()):
            if subject.mentions(text_of(body)):
                self._remove(place)
                redacted += 1
        return redacted

    def _printed(self) -> Iterator[tuple[str, bytes]]:
        where = compute_logs(self._instance)
        if isinstance(where, Path):
            files = sorted(path for path in where.rglob("*") if path.suffix in (".out", ".err"))
            yield from ((str(path), path.read_bytes()) for path in files)
        elif where is not None:
            client, bucket, prefix = where
            for version in Bucket(client, bucket).versions(prefix):
                yield version.key, Bucket(client, bucket).read(version) or b""

    def _remove(self, place: str) -> None:
        where = compute_logs(self._instance)
        if isinstance(where, Path):
            Path(place).unlink(missing_ok=True)
        elif where is not None:
            bucket = Bucket(where[0], where[1])
            bucket.purge(version for version in bucket.versions(place) if version.key == place)


def _hits(connection: Connection, subject: Subject) -> Iterator[tuple[sa.Table, str, list[str]]]:
    """Text columns that mention the subject, with the texts that do."""
    tables = sa.MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, sa.String):
                continue
            like = sa.or_(*(column.contains(name, autoescape=True) for name in subject.names))
            texts = [text for (text,) in connection.execute(sa.select(column).where(like).distinct())]
            if texts := [text for text in texts if subject.mentioned_in(text)]:
                yield table, column.name, texts
