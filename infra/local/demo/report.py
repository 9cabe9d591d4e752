"""The demo's report: the books, held against the simulator's manifest, and what it took."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from infra.local.demo.cost_figures import Figure, cost_table
from infra.local.demo.edge_report import edge_tables
from infra.local.demo.lake_figures import QueryFigure
from infra.local.demo.latency import Latency
from infra.local.demo.live_alerts import EdgeFigures
from infra.local.demo.warehouse_figures import Facts
from iot_pipeline.lake.balances import ArrivalHourBalance, EventHourBalance
from simulator.manifest import ExpectedLedger

# The acceptance figures of the curated zone: at most this share of the gzipped raw bytes, at least so much faster.
SCAN_SHARE, SPEED_UP = 0.05, 20


@dataclass(frozen=True)
class Report:
    """All figures of one demo."""

    expected: ExpectedLedger
    landed_messages: int
    raw_bytes: int
    arrivals: list[ArrivalHourBalance]
    events: list[EventHourBalance]
    quarantined: dict[str, int]
    device_to_s3: Latency
    s3_to_curated: Latency
    raw_query: QueryFigure
    curated_query: QueryFigure
    facts: Facts | None = None
    """Where the size has a warehouse."""
    edge: EdgeFigures | None = None
    """Where the size has an edge."""
    cost: list[Figure] = field(default_factory=list)
    """What the cost model counts, of a size whose parts it can be held against."""

    @property
    def counts(self) -> list[tuple[str, int, int]]:
        """(what, as the devices sent it, as the lake holds it) for each count that must agree."""
        e = self.expected
        rows = [
            ("messages", e.messages, self.landed_messages),
            ("readings received", e.readings, sum(b.received for b in self.arrivals)),
            ("valid", e.valid, sum(b.valid for b in self.arrivals)),
            ("curated", e.curated, sum(b.built.rows for b in self.events)),
            ("duplicates", e.duplicates, sum(b.built.duplicates for b in self.events)),
            ("conflicts", e.conflicts, sum(b.built.conflicts for b in self.events)),
        ]
        if self.facts:
            rows.append(("facts in the warehouse", e.curated, sum(self.facts.by_hour.values())))
        reasons = sorted({*e.quarantined, *self.quarantined})
        return rows + [
            (f"quarantined: {reason}", e.quarantined.get(reason, 0), self.quarantined.get(reason, 0))
            for reason in reasons
        ]

    @property
    def balances(self) -> bool:
        """Whether the ledger balances in every arrival hour and every event hour."""
        return bool(self.arrivals and self.events) and all(
            balances for balances in (*(b.balances for b in self.arrivals), *(b.balances for b in self.events))
        )

    @property
    def is_right(self) -> bool:
        """Whether the ledger balances, and what there is of lake, warehouse and edge holds what the devices sent."""
        books = self.balances and all(sent == held for _, sent, held in self.counts)
        facts = self.facts is None or (not self.facts.wrong_hours(self.events) and self.facts.split.is_right)
        return books and facts and (self.edge is None or self.edge.is_right)


def print_report(report: Report, console: Console) -> None:
    """Print the report as tables."""
    console.print()
    books = Table("", "sent, by the manifest", "held", "", title="The books against the world", title_justify="left")
    for what, sent, held in report.counts:
        books.add_row(what, f"{sent:,}", f"{held:,}", _verdict(sent == held))
    console.print(books)
    console.print(_arrivals_table(report.arrivals))
    console.print(_events_table(report.events, report.facts))
    if report.facts:
        console.print(_facts_table(report.facts))
    console.print(_times_table(report))
    console.print(_query_table(report))
    for table in edge_tables(report.edge) if report.edge else ():
        console.print(table)
    if report.cost:
        console.print(cost_table(report.cost))
    holds = "lake and warehouse hold" if report.facts else "the lake holds"
    verdict = f"[green]The ledger balances, and {holds} what the devices sent: 0 lost, 0 invented.[/]"
    console.print(
        verdict if report.is_right else "[bold red]Something is not as it was sent: see the rows marked NO.[/]"
    )
    console.print(
        "\nWhere to look next: `make up` starts the same and stays up, with the Dagster UI, its sensors and schedules, "
        "and a fleet that keeps publishing; Ctrl-C stops it all. `docs/operations.md` says what to do when.",
        soft_wrap=True,
    )


def _arrivals_table(balances: Iterable[ArrivalHourBalance]) -> Table:
    table = Table("arrival hour", "received", "valid", "quarantined", "balances", title_justify="left")
    table.title = "received = valid + quarantined"
    for b in balances:
        table.add_row(str(b.hour), f"{b.received:,}", f"{b.valid:,}", f"{b.quarantined:,}", _verdict(b.balances))
    return table


def _events_table(balances: list[EventHourBalance], facts: Facts | None) -> Table:
    """The fullest hours; the rest, a tail of late readings, is summed up."""
    columns = ["event hour", "valid", "curated", "duplicates", "conflicts", *(["facts"] if facts else []), "balance"]
    table = Table(*columns, title_justify="left")
    table.title = "valid = curated + duplicates + conflicts" + (", and facts = curated" if facts else "")
    fullest = sorted(sorted(balances, key=lambda b: -b.valid)[:26], key=lambda b: b.hour)
    for b in fullest:
        table.add_row(*_event_cells(str(b.hour), [b], facts))
    rest = [b for b in balances if b not in fullest]
    if rest:
        table.add_row(*_event_cells(f"{len(rest)} more", rest, facts))
    return table


def _event_cells(label: str, balances: list[EventHourBalance], facts: Facts | None) -> list[str]:
    built = [b.built for b in balances]
    sums = [
        sum(b.valid for b in balances),
        sum(counts.rows for counts in built),
        sum(counts.duplicates for counts in built),
        sum(counts.conflicts for counts in built),
    ]
    good = all(b.balances for b in balances)
    if facts:
        found = [facts.by_hour.get(b.hour, 0) for b in balances]
        good = good and all(count == b.built.rows for count, b in zip(found, balances, strict=True))
        sums.append(sum(found))
    return [label, *(f"{value:,}" for value in sums), _verdict(good)]


def _facts_table(facts: Facts) -> Table:
    move = facts.split.move
    table = Table("warehouse", "", title="Facts and dimensions", title_justify="left")
    table.add_row("facts", f"{sum(facts.by_hour.values()):,} in {len(facts.by_hour)} event hours")
    table.add_row("of sensors the registry does not know", f"{facts.of_unknown_sensors:,}")
    table.add_row("sensors", f"{facts.sensors:,}, with {facts.sensor_versions:,} versions")
    table.add_row("locations", f"{facts.location_versions:,} versions")
    table.add_row(f"{move.device_id} until {move.at:%H:%M:%S}", _sites(facts.split.before))
    table.add_row(f"and after it was moved to {move.new_site}", _sites(facts.split.since))
    table.add_row("split where it was moved", _verdict(facts.split.is_right))
    return table


def _sites(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} facts at {site}" for site, count in sorted(counts.items())) or "none"


def _times_table(report: Report) -> Table:
    table = Table("latency", "p50", "p99", "of", title="Latency", title_justify="left")
    for name, unit, latency in (
        ("device to S3 (live messages)", "messages", report.device_to_s3),
        ("S3 to curated", "objects", report.s3_to_curated),
    ):
        table.add_row(name, f"{latency.p50:.1f} s", f"{latency.p99:.1f} s", f"{latency.count:,} {unit}")
    return table


def _query_table(report: Report) -> Table:
    raw, curated = report.raw_query, report.curated_query
    share = curated.scanned_bytes / report.raw_bytes
    speed = raw.seconds / curated.seconds
    table = Table("events and average temperature by event date", "bytes scanned", "time", title_justify="left")
    table.title = "The same query on raw and on curated"
    table.add_row("raw (JSON)", f"{raw.scanned_bytes:,}", f"{raw.seconds:.3f} s")
    table.add_row("curated (Parquet)", f"{curated.scanned_bytes:,}", f"{curated.seconds:.3f} s")
    if report.facts is None:
        # Of a demo of this size the fixed costs of a query are most of it.
        return table
    table.add_row(
        f"goal: at most {SCAN_SHARE:.0%} of the gzipped raw bytes, at least {SPEED_UP}x faster",
        f"{share:.2%}",
        f"{speed:.0f}x faster",
    )
    return table


def _verdict(good: bool) -> str:
    return "[green]yes[/]" if good else "[bold red]NO[/]"
