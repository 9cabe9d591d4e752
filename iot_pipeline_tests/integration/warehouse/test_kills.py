"""kill -9 of a loader before and within each of its statements: the hour stays as it was, or is what it should be."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from typing import Any

import pytest
from redshift_connector.core import Connection

from iot_pipeline import settings
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.warehouse.load import Loader
from iot_pipeline_tests.support.hours import CURATED, curate, fill_for_load, loaded_rows, notes
from iot_pipeline_tests.support.messages import RawZone, curated

# Processes are forked from one that has imported everything, and that has no threads or connections to inherit.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


def load_in_steps(environment: dict[str, str], hour: str, pipe: Pipe) -> None:
    """Load an hour; each statement waits for leave."""
    os.environ.clear()
    os.environ.update(environment)
    for cached in (settings.deployment, settings.warehouse, settings.policy):
        cached.cache_clear()
    execute: Callable[..., Any] = Connection.execute

    def step(connection: Connection, cursor: Any, sql: str, values: Any) -> Any:
        pipe.send(sql)
        pipe.recv()
        return execute(connection, cursor, sql, values)

    with WarehouseResource().loader() as own:
        Connection.execute = step  # type: ignore[assignment, method-assign]  # in this process alone
        own.load([Hour.from_values(hour.split("-"))])
    pipe.send(None)


class SteppedLoader:
    """A loader in another process, going statement by statement."""

    def __init__(self, environment: dict[str, str], hour: Hour) -> None:
        self.pipe, other = FORKS.Pipe()
        arguments = (environment, "-".join(hour.values), other)
        self.process = FORKS.Process(target=load_in_steps, args=arguments, daemon=True)
        self.process.start()
        other.close()

    def next(self) -> str | None:
        """The statement that it is about to run; None at the end."""
        statement: str | None = self.pipe.recv()
        return statement

    def go(self) -> None:
        """Let it run the statement."""
        self.pipe.send("go")

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        assert self.process.exitcode == -signal.SIGKILL
        self.pipe.close()


@pytest.mark.parametrize("within", [False, True], ids=["before", "within"])
def test_a_loader_killed_at_any_statement_leaves_the_old_hour_or_the_new(
    loader: Loader, lake: Lake, raw: RawZone, arrival: Hour, environment: dict[str, str], within: bool
) -> None:
    versions: list[tuple[Partition, list[dict[str, Any]]]] = []
    for seq in (0, 1000):
        fill_for_load(raw, arrival, hours=1, seq=seq)
        curate(lake, [arrival])
        versions.append((lake.catalog.partitions(CURATED.name, [arrival])[arrival], curated(lake, [arrival])))
    loader.load([arrival])
    killed: list[str] = []
    outcomes: list[str] = []
    while True:
        versions.reverse()
        (old_partition, old), (new_partition, new) = versions
        assert loaded_rows(loader.connection, arrival) == old
        lake.catalog.publish(CURATED.name, [new_partition])
        stepped = SteppedLoader(environment, arrival)
        for _ in killed:
            stepped.next()
            stepped.go()
        statement = stepped.next()
        if statement is None:
            stepped.process.join()
            break
        killed.append(statement.split("\n")[0])
        if within:
            stepped.go()
        stepped.kill()
        found = loaded_rows(loader.connection, arrival)
        assert found in (old, new), killed[-1]
        ((_, location, rows, *_),) = notes(loader.connection, [arrival])
        held = new_partition if found == new else old_partition
        assert (location, rows) == (held.location, len(found)), killed[-1]
        outcomes.append("new" if found == new else "old")
        loader.load([arrival])
        assert loaded_rows(loader.connection, arrival) == new, killed[-1]
        assert loader.load([arrival])[0].skipped
    assert loaded_rows(loader.connection, arrival) == new
    for expected in (
        "LOCK",
        "DELETE FROM lake.readings",
        "COPY lake.readings",
        "DELETE FROM lake.loads",
        "INSERT INTO",
    ):
        assert any(statement.startswith(expected) for statement in killed), killed
    assert killed[-1] == "commit"
    assert set(outcomes[:-1]) == {"old"}
