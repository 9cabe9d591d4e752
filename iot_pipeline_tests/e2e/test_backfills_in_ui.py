"""What a person does by clicking in Dagster's UI: a range, what failed, what is missing, all; and pictures of it.

`IOT_PICTURES=docs/images python -m pytest iot_pipeline_tests/e2e/test_backfills_in_ui.py` puts the pictures there.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import boto3
import dagster as dg
import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.demo.screenshot import SIZE, dagster_page
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.dagster_processes import daemon, webserver
from infra.local.session.dagster_runs import judge_arrivals, record_arrivals
from infra.local.session.platform import Platform
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import hour_of, partition_key
from iot_pipeline.settings import Policy, deployment, variable
from iot_pipeline_tests.support.messages import RawZone, Sender, curated, line, message, reading

HOURS = 8
METER = Sender("clicked-1")
WORKSPACE = ["-w", str(CHECKOUT / "workspace.yaml")]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go."""
    wanted = os.environ.get("IOT_PICTURES")
    return Path(wanted).resolve() if wanted else tmp_path_factory.mktemp("pictures")


@dataclass(frozen=True)
class Ended:
    """A backfill that has ended."""

    id: str
    status: str


@dataclass(frozen=True)
class Clicked:
    """A deployment whose partitions begin a few hours ago, its history, and a browser on its UI."""

    page: Page
    instance: dg.DagsterInstance
    pictures: Path

    def offered(self) -> list[str]:
        """All partitions that the dialog offers."""
        data = self.page.request.post("/graphql", data={"query": _KEYS}).json()["data"]
        return list(data["assetNodeOrError"]["partitionKeys"])

    def built(self) -> set[str]:
        """The hours that count as materialized."""
        return set(self.instance.get_materialized_partitions(curated_telemetry.key))

    def open_dialog(self) -> Locator:
        """The dialog that chooses partitions, from the asset's page."""
        self.page.set_viewport_size(SIZE)
        self.page.goto("/assets/curated_telemetry?view=partitions")
        self.page.get_by_role("button", name=re.compile("Materialize")).first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.first.wait_for()
        expect(dialog.get_by_text("Partition selection")).to_be_visible()
        return dialog

    def launch(self, dialog: Locator, count: int) -> Ended:
        """Launch what is chosen, which is so many partitions, and wait for its end."""
        expect(dialog.get_by_text(f"{count} partition", exact=False).first).to_be_visible()
        before = {each.backfill_id for each in self.instance.get_backfills()}
        dialog.get_by_role("button", name="Launch backfill").click()
        return self._ended(before)

    def _ended(self, before: set[str]) -> Ended:
        """The backfill that is new, when it has ended; pytest's timeout ends the wait."""
        while True:
            found = [each for each in self.instance.get_backfills() if each.backfill_id not in before]
            if found and (status := found[0].status.value).startswith("COMPLETED"):
                return Ended(found[0].backfill_id, status)
            time.sleep(0.2)

    def built_by(self, backfill: Ended) -> set[str]:
        """The hours that the runs of a backfill have materialized."""
        runs = self.instance.get_run_ids(dg.RunsFilter(tags={"dagster/backfill": backfill.id}))
        records = self.instance.fetch_materializations(curated_telemetry.key, limit=1000).records
        return {record.partition_key or "" for record in records if record.run_id in runs}

    def picture(self, of: Locator | Page, name: str) -> None:
        """A picture, when the spinners of the page are gone."""
        expect(self.page.get_by_text("Loading")).to_have_count(0)
        self.pictures.mkdir(parents=True, exist_ok=True)
        of.screenshot(path=self.pictures / name, animations="disabled")


_KEYS = """{ assetNodeOrError(assetKey: {path: ["curated_telemetry"]}) { ... on AssetNode { partitionKeys } } }"""


@pytest.fixture(scope="module")
def hours() -> list[Hour]:
    """The hours that have readings, the last of which has closed."""
    now = Hour.of(datetime.now(UTC))
    return [now + -age for age in range(HOURS, 0, -1)]


@pytest.fixture(scope="module")
def clicked(
    chromium: str,
    platform: Platform,
    raw: RawZone,
    hours: Sequence[Hour],
    pictures: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Clicked]:
    """Judged hours, of which none is curated yet; sensors and schedules are off, so that only clicks build."""
    home = tmp_path_factory.mktemp("dagster")
    shutil.copyfile(CHECKOUT / "dagster.yaml", home / "dagster.yaml")
    environment = platform.environment | {variable(Policy, "partitions_start"): hours[0].start.isoformat()}
    for hour in hours:
        raw.put(hour, [line(message(reading(hour.start, 1), reading(hour.start, 2)), hour.start, METER)])
    with dg.DagsterInstance.from_config(str(home)) as instance:
        record_arrivals(instance)
        judge_arrivals(instance, hours)
        with webserver(home, environment, WORKSPACE) as served:
            assert served.stop_automation() > 10
            with daemon(home, environment, WORKSPACE), dagster_page(served.url) as page:
                while not all(status.healthy for status in instance.get_daemon_statuses().values()):
                    time.sleep(0.2)  # pytest's timeout ends the wait
                yield Clicked(page, instance, pictures)


def test_a_range_is_built(clicked: Clicked, hours: Sequence[Hour], lake: Lake) -> None:
    first, last = partition_key(hours[0]), partition_key(hours[2])
    dialog = clicked.open_dialog()
    field = dialog.get_by_role("textbox").first
    field.fill(f"[{first}...{last}]")
    field.press("Enter")
    expect(dialog.get_by_text("Backfills all partitions in a single run").first).to_be_visible()
    clicked.picture(dialog, "dagster-backfill-range.png")
    backfill = clicked.launch(dialog, 3)
    assert backfill.status == "COMPLETED_SUCCESS"
    assert clicked.built() == clicked.built_by(backfill) == {partition_key(hour) for hour in hours[:3]}
    assert readings(lake, hours) == dict.fromkeys(hours[:3], 2)


def test_what_failed_is_built_again(clicked: Clicked, hours: Sequence[Hour], lake: Lake) -> None:
    failing = [partition_key(hour) for hour in hours[3:5]]
    athena, workgroup = boto3.client("athena"), deployment().athena_workgroup
    athena.update_work_group(WorkGroup=workgroup, State="DISABLED")
    try:
        dialog = clicked.open_dialog()
        field = dialog.get_by_role("textbox").first
        field.fill(f"[{failing[0]}...{failing[1]}]")
        field.press("Enter")
        assert clicked.launch(dialog, 2).status == "COMPLETED_FAILED"
    finally:
        athena.update_work_group(WorkGroup=workgroup, State="ENABLED")
    assert not clicked.built() & set(failing)
    dialog = clicked.open_dialog()
    dialog.get_by_role("button", name="Failed", exact=True).click()
    expect(dialog.get_by_role("textbox").first).to_have_value(f"[{failing[0]}...{failing[1]}]")
    clicked.picture(dialog, "dagster-backfill-failed.png")
    backfill = clicked.launch(dialog, 2)
    assert backfill.status == "COMPLETED_SUCCESS"
    assert clicked.built_by(backfill) == set(failing)
    assert readings(lake, hours) == dict.fromkeys(hours[:5], 2)


def test_what_is_missing_is_built_and_nothing_else(clicked: Clicked, hours: Sequence[Hour], lake: Lake) -> None:
    before = clicked.built()
    dialog = clicked.open_dialog()
    dialog.get_by_role("button", name="Missing", exact=True).click()
    missing = [key for key in clicked.offered() if key not in before]
    assert {partition_key(hour) for hour in hours[5:]} < set(missing), "the open hour and those ahead are partitions"
    clicked.picture(dialog, "dagster-backfill-missing.png")
    backfill = clicked.launch(dialog, len(missing))
    assert backfill.status == "COMPLETED_SUCCESS"
    assert clicked.built_by(backfill) == set(missing)
    assert readings(lake, hours) == dict.fromkeys(hours, 2)


def test_all_is_built_again(clicked: Clicked, hours: Sequence[Hour], lake: Lake) -> None:
    before = lake.catalog.partitions("curated_telemetry", hours)
    dialog = clicked.open_dialog()
    dialog.get_by_role("button", name="All", exact=True).click()
    wanted = clicked.offered()
    backfill = clicked.launch(dialog, len(wanted))
    assert backfill.status == "COMPLETED_SUCCESS"
    assert clicked.built_by(backfill) == set(wanted)
    assert {hour_of(key) for key in wanted} > set(hours)
    after = lake.catalog.partitions("curated_telemetry", hours)
    assert all(after[hour].location != before[hour].location for hour in hours)
    assert readings(lake, hours) == dict.fromkeys(hours, 2)
    clicked.page.goto(f"/runs/b/{backfill.id}")
    expect(clicked.page.get_by_text("100% completed")).to_be_visible()
    clicked.page.set_viewport_size({"width": 1300, "height": 500})
    clicked.picture(clicked.page, "dagster-backfill-page.png")


def readings(lake: Lake, hours: Sequence[Hour]) -> dict[Hour, int]:
    """How many curated readings of the meter there are in each hour that has any."""
    found: dict[Hour, int] = {}
    for row in curated(lake, hours):
        if row["device_id"] == METER.device:
            hour = Hour.of(row["event_time"].replace(tzinfo=UTC))
            found[hour] = found.get(hour, 0) + 1
    return found
