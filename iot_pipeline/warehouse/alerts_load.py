"""Loading the alerts' history: each day on which alerts opened, in one transaction that counts before it commits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from redshift_connector.core import Connection

from iot_pipeline.contract import Contract, Table, tables
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Day
from iot_pipeline.lake.notes import Counts
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.load import noted
from iot_pipeline.warehouse.transaction import read, retried, run, writing


class EpisodesMismatchError(RuntimeError):
    """What was loaded of a day is not what its partition noted. Rolled back; the previous load of the day stands."""


@dataclass(frozen=True)
class EpisodesLoader:
    """Loads the alerts' history of one catalog into the warehouse; the connection's autocommit is off."""

    connection: Connection
    catalog: Catalog
    contract: Contract
    role_arn: str
    progress: Callable[[str], None] = lambda _: None

    def load(self, days: Iterable[Day] | None = None) -> dict[Day, int]:
        """Bring these days, or all, to their partitions; the episodes of each day that was loaded.

        A day that is loaded as it is in the lake is left alone. Raises EpisodesMismatchError, with the days before it
        loaded.
        """
        return {day: retried(partial(self._replace, day), self.progress) for day in self.unloaded(days)}

    def unloaded(self, days: Iterable[Day] | None = None) -> list[Day]:
        """Those of these days, or of all, whose content in the lake is not what is loaded."""
        wanted = None if days is None else sorted(set(days))
        if wanted == []:
            return []
        there = self.catalog.partitions(self._table.name, wanted)
        loaded = {Day.from_sql(row[0]): row[1] for row in read(self.connection, statements.episode_loads(wanted))}
        content = {Day(hour.start): partition.content for hour, partition in there.items()}
        return sorted(day for day in {*content, *loaded} if content.get(day) != loaded.get(day) or day not in content)

    @property
    def _table(self) -> Table:
        return tables(self.contract).alert_history

    def _replace(self, day: Day) -> int:
        with writing(self.connection):
            # Looked at again now that no other writer is at work: an export may have gone on meanwhile.
            partition = self.catalog.partitions(self._table.name, [day]).get(day)
            content, counts = noted(partition) if partition else ("", Counts())
            run(self.connection, statements.delete_episodes(day))
            if partition:
                columns = self.catalog.columns(self._table.name, day)
                run(self.connection, statements.copy_episodes(partition.location, columns, self.role_arn))
            ((rows, ids),) = run(self.connection, statements.count_episodes(day))
            if (rows, ids) != (counts.rows, counts.rows):
                raise EpisodesMismatchError(
                    f"{day}: the lake noted {counts.rows} episodes, loaded {rows} with {ids} ids. Rolled back, what "
                    "was loaded before stands. Export everything (docs/operations.md), then load again"
                )
            run(self.connection, statements.delete_episode_load(day))
            if partition:
                now = datetime.now(UTC)
                run(self.connection, statements.insert_episode_load(day, content, partition.location, counts, now))
        self.progress(f"loaded {rows:,} alerts of {day}")
        return int(rows)
