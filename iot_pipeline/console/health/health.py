"""All tiles of this deployment, each looked at on its own."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from iot_pipeline.console.coalesced import Coalesced
from iot_pipeline.console.health import (
    alerts,
    balance,
    dead_letters,
    edge_latency,
    lag,
    partitions,
    quarantine,
    runs,
    spending,
    warehouse,
)
from iot_pipeline.console.health.books import Books, open_books
from iot_pipeline.console.health.bounded_athena import Meter
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
            "lag",
            "Data lag by site",
            ("Athena", "the registry"),
            timedelta(seconds=60),
            timedelta(seconds=45),
            "/assets/ledger",
            partial(lag.open_look, meter),
        ),
        Tile(
            "edge",
            "Edge latency",
            ("Kinesis or DynamoDB", "CloudWatch"),
            timedelta(seconds=20),
            timedelta(seconds=10),
            None,
            edge_latency.open_look,
        ),
        Tile(
            "alerts",
            "Open pipeline alerts",
            ("DynamoDB",),
            timedelta(seconds=15),
            timedelta(seconds=10),
            "/automation",
            alerts.open_look,
        ),
        Tile(
            "runs",
            "Runs and failures",
            ("Dagster",),
            timedelta(seconds=20),
            timedelta(seconds=15),
            "/runs",
            runs.open_look,
        ),
        Tile(
            "arrivals",
            "Balance by arrival hour",
            ("Glue", "Athena"),
            timedelta(seconds=120),
            timedelta(seconds=60),
            "/assets/ledger?view=partitions",
            partial(balance.open_arrivals, meter),
        ),
        Tile(
            "events",
            "Balance by event hour",
            ("Glue",),
            timedelta(seconds=60),
            timedelta(seconds=30),
            "/assets/curated_telemetry?view=partitions",
            partial(balance.open_events, meter),
        ),
        Tile(
            "partitions",
            "Missing and stale partitions",
            ("Glue or S3",),
            timedelta(seconds=60),
            timedelta(seconds=45),
            "/overview/backfills",
            partial(partitions.open_look, meter),
        ),
        Tile(
            "warehouse",
            "Loaded hours",
            ("the warehouse", "Glue"),
            timedelta(seconds=600),
            timedelta(seconds=60),
            "/assets/warehouse_readings?view=partitions",
            warehouse.open_look,
        ),
        Tile(
            "quarantine",
            "Quarantine by reason and firmware",
            ("Athena",),
            timedelta(seconds=300),
            timedelta(seconds=45),
            "/assets/quarantined_telemetry",
            partial(quarantine.open_look, meter),
        ),
        Tile(
            "dead_letters",
            "Dead letters",
            ("SQS or S3",),
            timedelta(seconds=30),
            timedelta(seconds=15),
            None,
            dead_letters.open_look,
        ),
        Tile(
            "spending",
            "Athena's cost by day",
            ("Athena", "DynamoDB"),
            timedelta(seconds=300),
            timedelta(seconds=60),
            "/automation",
            partial(spending.open_look, book),
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


def open_health(store: Store | None = None, clock: Clock = utc_now) -> Health:
    """The health of this deployment. Nothing is asked before somebody looks. Without a store, spending is remembered
    for as long as the process lives.
    """
    meter = Meter()
    book = spending.Memory() if store is None else spending.Kept(store)
    return Health(all_tiles(meter, book), meter, open_books(meter), clock)
