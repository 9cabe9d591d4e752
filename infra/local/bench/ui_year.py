"""Dagster's UI with a day and with a year of hours (`make bench-ui-year`; needs Chromium).

A history in which the assets of four zones, and the ledger, are materialized for each hour; a real webserver on it with
the product's definitions; and Chromium. Each page is opened anew, and timed from the address until the status of its
partitions is drawn; what the webserver took to answer each GraphQL query of a page is shown beside it. Of an asset's
materializations Dagster writes the first and the last; those between are copied rows of the table of events, since
44,000 of them one by one take minutes. There are no runs, and one backfill of all hours, which no daemon carries out.
"""

import argparse
import json
import os
import platform as machine
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psutil
import yaml
from playwright.sync_api import Page, Request
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from infra.local.demo.screenshot import SIZE, dagster_page
from infra.local.postgres.process import SUPERUSER, start_postgres
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.loopback import HOST
from infra.local.session.dagster_processes import Webserver, webserver
from iot_pipeline.defs.dagster_internals import storage_connections
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.settings import Policy, variable

DAY, YEAR = 24, 24 * 365
ASSETS = ("raw_telemetry", "judged_telemetry", "ledger", "curated_telemetry", "warehouse_readings")
SHOWN = "curated_telemetry"
GOAL_SECONDS = 2.0
ROUNDS = 5
_COPY = """INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
    SELECT run_id, replace(event, :first, :key), dagster_event_type, timestamp, step_key, asset_key, :key
    FROM event_logs WHERE id = :id"""
_BACKFILL = """mutation($asset: [AssetKeyInput!]!, $keys: [String!]!) {
    launchPartitionBackfill(backfillParams: {assetSelection: $asset, partitionNames: $keys}) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; it exits with 1 if a page missed the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=YEAR, help="of the long history")
    parser.add_argument("--storage", choices=("SQLite", "PostgreSQL"), action="append", help="both, if not given")
    options = parser.parse_args(arguments)
    console, missed = Console(width=160), False
    memory = psutil.virtual_memory().total / 2**30
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine.system()}, {os.cpu_count()} cores, {memory:.0f} GiB")
    for storage in options.storage or ("SQLite", "PostgreSQL"):
        pages = {}
        for hours in (DAY, options.hours):
            console.print(f"{storage}: {hours:,} hours of {len(ASSETS)} assets; load {os.getloadavg()[0]:.1f}")
            with history(storage, hours) as served:
                pages[hours] = served
        missed |= _print(console, storage, *pages.values())
    raise SystemExit(int(missed))


@dataclass
class Loads:
    """One page's loads: seconds until its partitions are drawn, the webserver's CPU seconds, and what queries took."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    queries: dict[str, list[float]] = field(default_factory=dict)

    @property
    def first(self) -> float:
        """In seconds; the webserver has seen none of it yet."""
        return self.seconds[0]

    @property
    def median(self) -> float:
        """In seconds, of those after the first."""
        return statistics.median(self.seconds[1:])

    @property
    def median_cpu(self) -> float:
        """In CPU seconds, of those after the first: other work on the machine does not lengthen them much."""
        return statistics.median(self.cpu[1:])

    def slowest(self) -> str:
        """The query whose median is the greatest."""
        if not self.queries:
            return "none"
        name, times = max(self.queries.items(), key=lambda item: statistics.median(item[1]))
        return f"{name} {statistics.median(times):.2f} s"


@contextmanager
def history(storage: str, hours: int) -> Iterator[dict[str, Loads]]:
    """The loads of each page over a history of so many hours, on a webserver of its own."""
    folder = Path(tempfile.mkdtemp(prefix="iot-bench-"))
    postgres = start_postgres(folder / "postgres", databases=["dagster"]) if storage == "PostgreSQL" else None
    home = folder / "dagster"
    home.mkdir()
    config: dict[str, object] = {"telemetry": {"enabled": False}, "nux": {"enabled": False}}
    if postgres is not None:
        address = {"hostname": HOST, "port": postgres.port, "db_name": "dagster"}
        config["storage"] = {
            "postgres": {"postgres_db": address | {"username": SUPERUSER, "password": postgres.password}}
        }
    try:
        (home / "dagster.yaml").write_text(yaml.safe_dump(config))
        now = Hour.of(datetime.now(UTC))
        keys = [partition_key(now + -age) for age in range(hours, 0, -1)]
        with dg.DagsterInstance.from_config(str(home)) as instance:
            fill(instance, keys)
        environment = {variable(Policy, "partitions_start"): (now + -hours).start.isoformat()}
        with webserver(home, environment, ["-w", str(CHECKOUT / "workspace.yaml")]) as served:
            yield measured(served, keys)
    finally:
        if postgres is not None:
            postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def fill(instance: dg.DagsterInstance, keys: Sequence[str]) -> None:
    """A materialization of each asset for each hour: Dagster writes the first and the last, the others are copies."""
    for name in ASSETS:
        key = dg.AssetKey(name)
        metadata = {"dagster/partition_row_count": 100_000, "valid readings": 100_000}
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=keys[0], metadata=metadata))
        first = instance.fetch_materializations(key, limit=1).records[0].storage_id
        _, events = next(storage_connections(instance))
        with events as connection:
            rows = [{"id": first, "first": keys[0], "key": each} for each in keys[1:-1]]
            connection.execute(text(_COPY), rows)
            connection.commit()
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=keys[-1], metadata=metadata))
        if (found := len(instance.get_materialized_partitions(key))) != len(keys):
            raise RuntimeError(f"{found:,} hours of {name} are materialized, and not {len(keys):,}")


def measured(served: Webserver, keys: Sequence[str]) -> dict[str, Loads]:
    """Each page, first as nobody has seen it, and then ROUNDS times more."""
    asked = served.graphql(_BACKFILL, asset=[{"path": [SHOWN]}], keys=list(keys))["launchPartitionBackfill"]
    backfill, count = asked["backfillId"], len(keys)
    pages: dict[str, Callable[[Page], None]] = {
        "asset, overview": lambda page: _drawn(page, f"/assets/{SHOWN}?view=overview", keys[-1]),
        "asset, partitions": lambda page: _drawn(page, f"/assets/{SHOWN}?view=partitions", f"Materialized ({count})"),
        "dialog to materialize": _dialog,
        "backfill": lambda page: _drawn(page, f"/runs/b/{backfill}?tab=overview", f"{count:,}"),
        "list of backfills": lambda page: _drawn(page, "/runs?view=backfills", f"{count:,} partitions"),
    }
    found = {}
    with dagster_page(served.url) as page:
        page.set_viewport_size(SIZE)
        # So that the application's own files are in the browser's cache.
        _drawn(page, "/assets/registry_snapshot?view=overview", "registry_snapshot")
        for name, opened in pages.items():
            found[name] = _loads(page, opened, served.pid)
    return found


def _loads(page: Page, opened: Callable[[Page], None], pid: int) -> Loads:
    loads = Loads()

    def note(request: Request) -> None:
        if "/graphql" in request.url and (body := request.post_data):
            timing = request.timing
            took = (timing["responseEnd"] - timing["requestStart"]) / 1000
            loads.queries.setdefault(json.loads(body).get("operationName") or "unnamed", []).append(took)

    page.on("requestfinished", note)
    for _ in range(1 + ROUNDS):
        page.goto("about:blank")
        began, worked = time.perf_counter(), _cpu_seconds(pid)
        opened(page)
        loads.seconds.append(time.perf_counter() - began)
        page.wait_for_load_state("networkidle")
        loads.cpu.append(_cpu_seconds(pid) - worked)
    page.remove_listener("requestfinished", note)
    return loads


def _cpu_seconds(pid: int) -> float:
    """What the webserver and its code server have used."""
    server = psutil.Process(pid)
    times = [process.cpu_times() for process in (server, *server.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _drawn(page: Page, address: str, text: str) -> None:
    page.goto(address, wait_until="commit")
    page.get_by_text(text, exact=True).first.wait_for()


def _dialog(page: Page) -> None:
    """From the asset's page by its button, until what is missing can be chosen: the open hour and those ahead."""
    page.goto(f"/assets/{SHOWN}?view=overview", wait_until="commit")
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Missing", exact=True).click()
    dialog.get_by_text(re.compile(r"^[23] partitions$")).first.wait_for()


def _print(console: Console, storage: str, day: dict[str, Loads], year: dict[str, Loads]) -> bool:
    """A row for each page; whether one missed the goal."""
    title = f"{storage}: seconds until partitions are drawn, median of {ROUNDS} (first); goal {GOAL_SECONDS:g} s"
    names = ("page", "a day", "a year", "ratio", "webserver's CPU s, day / year", "slowest query with a year", "goal")
    table = Table(*names, title=title)
    missed = False
    for name, before in day.items():
        after = year[name]
        late = max(after.median, after.first) > GOAL_SECONDS
        missed |= late
        table.add_row(
            name,
            f"{before.median:.2f} ({before.first:.2f})",
            f"{after.median:.2f} ({after.first:.2f})",
            f"{after.median / before.median:.2f}x",
            f"{before.median_cpu:.2f} / {after.median_cpu:.2f}",
            after.slowest(),
            "MISSED" if late else "met",
        )
    console.print(table)
    return missed


if __name__ == "__main__":
    main()
