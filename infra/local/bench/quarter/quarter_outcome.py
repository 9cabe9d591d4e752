"""What became of a simulation, printed beside the least that would have done."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from rich.console import Console
from rich.table import Table

from infra.local.bench.quarter import books
from infra.local.bench.quarter.books import Difference
from infra.local.bench.quarter.simulation import Simulation
from infra.local.bench.quarter.timetable import Trouble
from infra.local.bench.quarter.told_alerts import RESOLVED_WITHIN, Alert, Told, alerts_of, told
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.connections.warehouse import open_loader
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.pricing import query_cost

MOST_BUILDS = 1.2
_SHOWN = 20
# Before the first day, for what devices send late.
_DAYS_BEFORE = 32


@dataclass(frozen=True)
class Builds:
    """Of one zone: hours that were published, hours that had something new, and the closing build of each hour."""

    published: int
    needed: int
    closing: int

    @property
    def ratio(self) -> float:
        """Published to what is meant to be."""
        return self.published / (self.needed + self.closing)


@dataclass(frozen=True)
class Outcome:
    """All figures; `under_way` are troubles that are not over, or so lately that they may not be mended yet."""

    hours: int
    readings: int
    differences: Sequence[Difference]
    builds: Mapping[str, Builds]
    runs: Mapping[tuple[str, str], int]
    told: Sequence[Told]
    other_alerts: Sequence[Alert]
    under_way: Sequence[Trouble]
    statements: int
    dollars: float
    dollars_of_builds: float

    @property
    def ideal_dollars(self) -> float:
        """What the builds alone would have cost, had each been of something new or a closing one, and none failed."""
        meant = sum(each.needed + each.closing for each in self.builds.values())
        return self.dollars_of_builds * meant / max(1, sum(each.published for each in self.builds.values()))

    @property
    def is_wrong(self) -> bool:
        """Whether a partition, the number of builds or an alert is not as it should be."""
        return bool(
            self.differences
            or self.other_alerts
            or any(each.problems for each in self.told)
            or any(each.ratio > MOST_BUILDS for each in self.builds.values())
        )

    def print(self, console: Console) -> None:
        """All of it."""
        wrong = len({(each.zone, each.hour) for each in self.differences})
        for trouble in self.under_way:
            console.print(f"[yellow]under way, and what waits for its end may be wrong below: {trouble}")
        console.print(f"{self.readings:,} readings in {self.hours:,} event hours; partitions that are wrong: {wrong}")
        for each in self.differences[:_SHOWN]:
            console.print(f"[red]{each}")
        self._print_builds(console)
        self._print_alerts(console)
        by_job: Counter[str] = Counter()
        for (job, _), count in self.runs.items():
            by_job[job] += count
        runs = ", ".join(f"{job} {count:,}" for job, count in sorted(by_job.items()))
        failed = sum(count for (_, status), count in self.runs.items() if status != "SUCCESS")
        console.print(f"{sum(self.runs.values()):,} runs, {failed} of them failed: {runs}")
        console.print(
            f"{self.statements:,} statements of Athena that succeeded, {self.dollars:.4f} USD; those that write tables "
            f"{self.dollars_of_builds:.4f} USD, the ideal of builds alone {self.ideal_dollars:.4f} USD"
        )

    def _print_builds(self, console: Console) -> None:
        table = Table("zone", "hours published", "with something new", "closing builds", "ratio", title="builds")
        for zone, it in self.builds.items():
            style = "red" if it.ratio > MOST_BUILDS else None
            counts = (it.published, it.needed, it.closing)
            table.add_row(
                zone, *(f"{count:,}" for count in counts), f"{it.ratio:.2f} (goal {MOST_BUILDS})", style=style
            )
        console.print(table)

    def _print_alerts(self, console: Console) -> None:
        table = Table("trouble", "hours", "alert", "opened after", "resolved after its end", "wrong", title="alerts")
        for it in self.told:
            first = it.alerts[0] if it.alerts else None
            table.add_row(
                it.period.trouble,
                f"{it.period.first:%m-%d %H:%M} to {it.period.end:%m-%d %H:%M}",
                it.expected or "none",
                str(first.opened - it.period.first).partition(".")[0] if first else "",
                str(first.resolved - it.period.end).partition(".")[0] if first and first.resolved else "",
                "; ".join(it.problems),
                style="red" if it.problems else None,
            )
        console.print(table)
        for each in self.other_alerts:
            console.print(f"[red]of no trouble: {each.kind} {each.subject} {each.opened:%m-%d %H:%M}: {each.about}")


def outcome_of(simulation: Simulation) -> Outcome:
    """Compare the zones with the fleet's own list after one hour at least, and gather the figures.

    Within the simulation's time, which may go on afterwards.
    """
    timetable, fleet = simulation.timetable, simulation.fleet
    statements = dict(simulation.clock.statements)
    end = timetable.hours[simulation.hours - 1]
    first, last, takes_hot = Hour.of(timetable.start) + -24 * _DAYS_BEFORE, Hour.of(end) + 1, timetable.has_changed(end)
    lake = open_lake()
    expected = books.expected_rows(fleet.measured, fleet.delivered, takes_hot=takes_hot)
    found = books.differences("curated", expected, books.curated_rows(lake, first, last))
    with open_loader() as loader:
        found += books.differences("warehouse", expected, books.loaded_rows(loader.connection))
    refused = books.expected_refused(fleet.delivered, takes_hot=takes_hot)
    found += books.differences_of_counts("quarantine", refused, books.refused_records(lake, first, last))
    closing = simulation.hours
    published, needed = simulation.published, simulation.needed
    begun = timetable.begun(end)
    of_troubles, others = told(begun, alerts_of(simulation.episodes.values()))
    simulation.clock.statements = statements
    return Outcome(
        hours=len(expected),
        readings=sum(rows.total() for rows in expected.values()),
        differences=found,
        builds={
            "judged": Builds(published["judged_telemetry"], needed.judged, closing),
            "curated": Builds(published["curated_telemetry"], needed.curated, closing),
        },
        runs=_runs(simulation.daemon.instance),
        told=of_troubles,
        other_alerts=others,
        under_way=[each.trouble for each in begun if end < each.end + RESOLVED_WITHIN],
        statements=len(statements),
        dollars=sum(query_cost(each.scanned) for each in statements.values()),
        dollars_of_builds=sum(query_cost(each.scanned) for each in statements.values() if each.is_build),
    )


def _runs(instance: dg.DagsterInstance) -> Counter[tuple[str, str]]:
    return Counter((run.job_name, run.status.value) for run in instance.get_runs())
