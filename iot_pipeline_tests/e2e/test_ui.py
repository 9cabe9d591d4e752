"""The Dagster UI in a real browser: the graph, the curated asset, and a backfill of a range by two clicks."""

import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from infra.local.demo.screenshot import (
    GROUPS,
    dagster_page,
    open_curated,
    open_graph,
    take_screenshots,
)
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.loopback import HOST, free_port
from iot_pipeline_tests.support.assets import HOURLY

START_SECONDS = 60.0


@pytest.fixture(scope="module")
def url(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A webserver on a history of its own, in a folder without .env: the definitions need no AWS to be shown."""
    home = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    address = f"http://{HOST}:{(port := free_port())}"
    log = home / "webserver.log"
    command = [sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", str(port)]
    environment = {"DAGSTER_HOME": str(home), "PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(CHECKOUT)}
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, "-m", "iot_pipeline.definitions"], cwd=home, env=environment, stdout=out, stderr=out
        )
    try:
        _wait_for(server, address, log)
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def shared_page(url: str) -> Iterator[Page]:
    with dagster_page(url) as page:
        yield page


@pytest.fixture
def page(shared_page: Page) -> Page:
    """One browser for all tests; each goes to its own address first."""
    return shared_page


def test_the_graph_shows_every_group_and_asset(page: Page) -> None:
    open_graph(page)
    graph = page.locator("svg")
    for group in (*GROUPS, "staging", "dimensions", "facts", "reporting", "reports"):
        expect(graph.get_by_text(group, exact=True).first).to_be_visible()
    for text in (*HOURLY, "registry_snapshot", "Asset checks", "Athena", "Redshift", "Postgres"):
        expect(graph.get_by_text(text, exact=True).first).to_be_visible()


def test_the_curated_asset_tells_what_it_is(page: Page) -> None:
    open_curated(page, "overview")
    for text in ("Valid readings, by event hour", "data-engineering", "Athena", "Parquet", "event_time"):
        expect(page.get_by_text(text).first).to_be_visible()


def test_its_checks_are_listed(page: Page) -> None:
    open_curated(page, "checks")
    # Dagster shortens the longest names in the list.
    for check in ("Checks (6)", "keys_are_unique", "rows_are_within_the_contract", "closed_hours_are_built"):
        expect(page.get_by_text(check).first).to_be_visible()


def test_two_clicks_backfill_a_range(page: Page) -> None:
    open_curated(page, "overview")
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    # On an empty history Dagster asks first whether to build without the inputs.
    confirm = page.get_by_role("button", name="Confirm")
    dialog = page.get_by_role("dialog")
    dialog.first.wait_for()
    if confirm.is_visible():
        confirm.click()
    first = datetime.now(UTC) - timedelta(days=1)
    last = first + timedelta(hours=5)
    field = dialog.get_by_role("textbox").first
    field.fill(f"[{first:%Y-%m-%d-%H}:00...{last:%Y-%m-%d-%H}:00]")
    field.press("Enter")
    expect(dialog.get_by_text("6 partitions").first).to_be_visible()
    expect(dialog.get_by_text("Backfills all partitions in a single run").first).to_be_visible()
    expect(dialog.get_by_role("button", name="Launch backfill")).to_be_enabled()


def test_the_script_takes_pictures(page: Page, tmp_path: Path) -> None:
    taken = take_screenshots(page, tmp_path / "images")
    assert [picture.name for picture in taken] == [
        "dagster-graph.png",
        "dagster-curated-overview.png",
        "dagster-curated-checks.png",
    ]
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in taken)


def _wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    server.kill()
    raise AssertionError(f"the webserver did not start:\n{log.read_text()[-2000:]}")
