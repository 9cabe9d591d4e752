"""All tiles of this deployment, each looked at on its own."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from iot_pipeline.console.bounded_athena import Meter
from iot_pipeline.console.coalesced import Coalesced
from iot_pipeline.console.health import (
    alerts,
    balance,
    edge_latency,
    lag,
    reasons_seen,
    runs,
    spending,
    undelivered,
    warehouse,
    zones,
)
from iot_pipeline.console.health.books import Books, open_books
from iot_pipeline.console.health.shared import Clock, Shared, Tile, utc_now
from iot_pipeline.console.store import Store
from iot_pipeline.lake.hours import Hour

# An hour's books are asked of Athena, for two people at a time; whoever asks for the same hour shares the answer.
_BOOKS_AT_ONCE, _BOOKS_KEPT_SECONDS, _BOOKS_WITHIN_SECONDS = 2, 60.0, 30.0


def all_tiles(meter: Meter, book: spending.Book) -> list[Tile]:
    """The tiles in the order in which a person reads them.

    What costs next to nothing is looked at often. The warehouse is billed for a minute of each look, and is looked at
    as seldom as Dagster's own check does.
    """
    return [
        Tile(
            name="lag",
            title="Data lag by site",
            needs=("Athena", "the registry"),
            every=timedelta(seconds=60),
            within=timedelta(seconds=45),
            acts_at="/assets/ledger",
            open=partial(lag.open_look, meter),
        ),
        Tile(
            name="edge",
            title="Edge latency",
            needs=("Kinesis or DynamoDB", "CloudWatch"),
            every=timedelta(seconds=20),
            within=timedelta(seconds=10),
            acts_at=None,
            open=edge_latency.open_look,
        ),
        Tile(
            name="alerts",
            title="Open pipeline alerts",
            needs=("DynamoDB",),
            every=timedelta(seconds=15),
            within=timedelta(seconds=10),
            acts_at="/automation",
            open=alerts.open_look,
        ),
        Tile(
            name="runs",
            title="Runs and failures",
            needs=("Dagster",),
            every=timedelta(seconds=20),
            within=timedelta(seconds=15),
            acts_at="/runs",
            open=runs.open_look,
        ),
        Tile(
            name="arrivals",
            title="Balance by arrival hour",
            needs=("Glue", "Athena"),
            every=timedelta(seconds=120),
            within=timedelta(seconds=60),
            acts_at="/assets/ledger?view=partitions",
            open=partial(balance.open_arrivals, meter),
        ),
        Tile(
            name="events",
            title="Balance by event hour",
            needs=("Glue",),
            every=timedelta(seconds=60),
            within=timedelta(seconds=30),
            acts_at="/assets/curated_telemetry?view=partitions",
            open=partial(balance.open_events, meter),
        ),
        Tile(
            name="partitions",
            title="Missing and stale partitions",
            needs=("Glue or S3",),
            every=timedelta(seconds=60),
            within=timedelta(seconds=45),
            acts_at="/overview/backfills",
            open=partial(zones.open_look, meter),
        ),
        Tile(
            name="warehouse",
            title="Loaded hours",
            needs=("the warehouse", "Glue"),
            every=timedelta(seconds=600),
            within=timedelta(seconds=60),
            acts_at="/assets/warehouse_readings?view=partitions",
            open=warehouse.open_look,
        ),
        Tile(
            name="quarantine",
            title="Quarantine by reason and firmware",
            needs=("Athena",),
            every=timedelta(seconds=300),
            within=timedelta(seconds=45),
            acts_at="/assets/quarantined_telemetry",
            open=partial(reasons_seen.open_look, meter),
        ),
        Tile(
            name="dead_letters",
            title="Dead letters",
            needs=("SQS or S3",),
            every=timedelta(seconds=30),
            within=timedelta(seconds=15),
            acts_at=None,
            open=undelivered.open_look,
        ),
        Tile(
            name="spending",
            title="Athena's cost by day",
            needs=("Athena", "DynamoDB"),
            every=timedelta(seconds=300),
            within=timedelta(seconds=60),
            acts_at="/automation",
            open=partial(spending.open_look, book),
        ),
    ]


class Health:
    """The tiles, shared by all who watch, and the books of an hour on demand."""

    def __init__(
        self, tiles: Sequence[Tile], meter: Meter, books: Callable[[Hour], Books], clock: Clock = utc_now
    ) -> None:
        self.meter = meter
        self.tiles = {tile.name: Shared(tile, _submit, clock) for tile in tiles}
        self.books = Coalesced(books, _BOOKS_AT_ONCE, _BOOKS_KEPT_SECONDS, _BOOKS_WITHIN_SECONDS)


def _submit(look: Callable[[], None]) -> None:
    """On a thread for each look, of which a tile has one at a time. One that hangs keeps no process from ending."""
    threading.Thread(target=look, daemon=True).start()


def open_health(store: Store, clock: Clock = utc_now) -> Health:
    """The health of this deployment. Nothing is asked before somebody looks."""
    meter = Meter()
    return Health(all_tiles(meter, spending.Book(store)), meter, open_books(meter), clock)
