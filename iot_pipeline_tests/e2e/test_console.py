"""The console in a real browser: values move, alerts come, are taken on and go, a query runs, the service restarts.

Where IOT_TEST_PICTURES names a folder, the pictures of the pages are kept there.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from infra.local.demo.screenshot import ARGUMENTS
from infra.local.session.platform import Platform
from iot_pipeline_tests.support.console import RunningConsole, Sensor

# Other devices, so that the fleet looks like one.
CROWD = (("acme", "berlin"), ("acme", "denver"), ("globex", "denver"), ("globex", "osaka"))
SERIOUS = {"serious", "critical"}
WAIT_MS = 60_000
expect.set_options(timeout=WAIT_MS)
# The elements that reach beyond the page's right edge.
_WIDE = """[...document.querySelectorAll("body *")].filter((each) => !each.closest(".scroll"))
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((each) => `${each.tagName}#${each.id}.${each.className}`).slice(0, 5)"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield started
        started.close()


@dataclass
class Person:
    """Somebody at a browser: the page, and what the browser complained of."""

    page: Page
    console: RunningConsole
    errors: list[str] = field(default_factory=list)

    def sign_in(self, user: str) -> None:
        """By the provider's form, from a page of the console."""
        self.page.goto(f"{self.console.url}/")
        self.page.fill('input[name="username"]:visible', user)
        self.page.fill('input[name="password"]:visible', self.console.passwords[user])
        self.page.locator('button[type="submit"], input[type="submit"]').first.click()
        expect(self.page).to_have_url(f"{self.console.url}/")
        # What the provider's form lacks, such as an icon, is no fault of the console.
        self.errors.clear()

    def keep_picture(self, name: str) -> None:
        """A picture of the page, where somebody wants it."""
        if folder := os.environ.get("IOT_TEST_PICTURES"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    def check_accessible(self) -> None:
        """Axe finds nothing serious."""
        found = Axe().run(self.page).response["violations"]
        assert not [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS]


@pytest.fixture
def at_browser(browser: Browser, console: RunningConsole) -> Callable[..., Any]:
    """Makes somebody at a browser of their own who is signed in; nobody's browser may complain."""

    @contextmanager
    def person(user: str, **options: Any) -> Iterator[Person]:
        context = browser.new_context(**options)
        made = Person(context.new_page(), console)
        made.page.on("console", lambda said: made.errors.append(said.text) if said.type == "error" else None)
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.sign_in(user)
        yield made
        assert not made.errors
        context.close()

    return person


def cell(person: Person, sensor: Sensor) -> Any:
    return person.page.locator(f'.cell[aria-label^="{sensor.name},"]')


def test_a_value_moves_and_an_alert_comes_is_taken_on_and_goes(at_browser: Any, platform: Platform) -> None:
    sensor = Sensor()
    for number, (tenant, site) in enumerate(CROWD * 8):
        Sensor(tenant, site).send(temperature=18.0 + number % 7)
    for number in range(60):
        sensor.send(ahead_seconds=number - 60, temperature=20.0 + (number % 9) / 10, battery=3.9 - number / 1000)
    sensor.send(temperature=20.0)
    with at_browser("operator") as ada:
        page = ada.page
        expect(cell(ada, sensor)).to_have_attribute("data-state", "ok")
        cell(ada, sensor).click()
        chart = page.locator('.chart[data-metric="temperature"]')
        expect(chart).to_be_visible()
        for value in (21.0, 22.5):
            sensor.send(temperature=value)
            shown = page.locator(f'#chosen tr[data-device="{sensor.name}"] td[data-value="temperature"]')
            expect(shown).to_have_text(f"{value:g}")

        sensor.send(temperature=400.0)
        row = page.locator("#alerts tbody tr", has_text=sensor.name)
        expect(row).to_be_visible()
        expect(row).to_contain_text("range temperature")
        expect(cell(ada, sensor)).to_have_attribute("data-state", re.compile("warning|critical"))
        expect(page.locator("#verdict")).to_have_attribute("data-state", re.compile("warning|critical"))
        ada.check_accessible()
        ada.keep_picture("console-live")
        row.get_by_role("button", name="Acknowledge").click()
        page.fill("#reason-text", "on my way")
        page.click("#reason-ok")
        expect(row).to_contain_text("operator: on my way")

        # A value must be clear for a minute (docs/alert-rules.md, `hold_seconds`).
        for ahead in (1, 62):
            sensor.send(ahead_seconds=ahead, temperature=22.0)
        expect(row).to_have_count(0)
        expect(cell(ada, sensor)).to_have_attribute("data-state", "ok")


def test_the_service_restarts_under_an_open_page_which_recovers(at_browser: Any, console: RunningConsole) -> None:
    sensor = Sensor()
    sensor.send(temperature=20.0)
    with at_browser("operator") as ada:
        expect(cell(ada, sensor)).to_have_attribute("data-state", "ok")
        console.restart()
        other = Sensor()
        other.send(temperature=21.0)
        expect(cell(ada, other)).to_have_attribute("data-state", "ok")
        expect(ada.page.locator("#connection")).to_be_hidden()
        # A connection that is refused is an error to the browser, and no fault of the page.
        ada.errors[:] = [said for said in ada.errors if "ERR_CONNECTION" not in said and "ERR_INCOMPLETE" not in said]


def test_tenants_see_their_own_devices_alone(at_browser: Any) -> None:
    ours, theirs = Sensor("acme"), Sensor("globex")
    for sensor in (ours, theirs):
        sensor.send(temperature=20.0)
    with at_browser("tenant-acme") as ada:
        expect(cell(ada, ours)).to_be_visible()
        sensor = Sensor("acme")
        theirs.send(temperature=21.0)
        sensor.send(temperature=20.0)
        expect(cell(ada, sensor)).to_be_visible()
        assert cell(ada, theirs).count() == 0
        assert ada.page.get_by_role("link", name="Pipeline").count() == 0
        assert ada.page.goto(f"{ada.console.url}/pipeline").status == 403
        ada.errors[:] = [said for said in ada.errors if "403" not in said]


@pytest.mark.parametrize("user", ["admin", "operator", "analyst"])
def test_each_page_opens_for_staff_without_a_complaint(at_browser: Any, user: str) -> None:
    pages = [
        ("/", "Fleet"),
        ("/pipeline", "Pipeline"),
        ("/queries", "Queries"),
        ("/keys", "API keys"),
        ("/api/docs", "API"),
    ]
    if user != "analyst":
        pages.append(("/admin", "Administration"))
    with at_browser(user) as ada:
        for path, title in pages:
            ada.page.goto(f"{ada.console.url}{path}")
            expect(ada.page).to_have_title(re.compile(title))
            expect(ada.page.get_by_role("link", name=title, exact=True)).to_have_attribute("aria-current", "page")
            if user == "admin":
                ada.page.wait_for_load_state("networkidle" if path == "/api/docs" else "load")
                ada.check_accessible()


def test_the_pages_are_readable_on_a_phone_and_in_the_dark(at_browser: Any) -> None:
    # A table of alerts is wider than the screen.
    Sensor("acme").send(temperature=400.0)
    with at_browser("operator", viewport={"width": 390, "height": 800}, color_scheme="dark") as ada:
        for path, shown in (("/", "#alerts tbody tr"), ("/pipeline", ".tile"), ("/queries", "#tables details")):
            ada.page.goto(f"{ada.console.url}{path}")
            expect(ada.page.locator(shown).first).to_be_visible()
            wider = ada.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{path} scrolls to the side by {wider} pixels: {ada.page.evaluate(_WIDE)}"
            ada.check_accessible()


def test_a_query_is_estimated_run_drawn_and_downloaded(at_browser: Any) -> None:
    with at_browser("analyst") as ada:
        page = ada.page
        page.goto(f"{ada.console.url}/queries")
        page.fill("#sql", "SELECT site_id, valid_from FROM registry_sites; DROP TABLE telemetry")
        expect(page.locator("#refusal")).to_contain_text("Line 1")
        ada.errors.clear()
        page.fill("#sql", "SELECT * FROM (VALUES ('a', 1.5), ('b', 2.5)) AS t (name, value)")
        expect(page.locator("#refusal")).to_be_hidden()
        expect(page.locator("#estimate")).to_contain_text("$")
        page.click("#run")
        expect(page.locator("#state")).to_contain_text("succeeded")
        expect(page.locator("#rows tbody tr")).to_have_count(2)
        expect(page.locator("#chart canvas")).to_be_visible()
        ada.keep_picture("console-queries")
        with page.expect_download() as csv:
            page.click("#csv")
        assert Path(csv.value.path()).read_text() == '"name","value"\n"a","1.5"\n"b","2.5"\n'
        with page.expect_download() as parquet:
            page.click("#parquet")
        assert Path(parquet.value.path()).read_bytes()[:4] == b"PAR1"
        expect(page.locator("#history li").first).to_contain_text("succeeded")


def test_the_picture_of_the_pipeline(at_browser: Any) -> None:
    with at_browser("operator") as ada:
        ada.page.goto(f"{ada.console.url}/pipeline")
        expect(ada.page.locator('[data-tile="dead_letters"] .body table')).to_be_visible()
        expect(ada.page.locator('[data-tile="arrivals"] .heatmap')).to_be_visible()
        ada.check_accessible()
        ada.keep_picture("console-pipeline")
        ada.page.locator('[data-tile="arrivals"] button.heat').last.click()
        expect(ada.page.locator("#books-body")).to_contain_text("What arrived in this hour")
