"""`make bench-console`: many devices, many browsers' streams, for minutes: memory, drops, and how soon a reading shows.

Devices publish a reading a second each over mTLS. One tab is a real Chromium that draws twelve devices; the other
streams are read to the end by plain clients, but for one, which takes nothing and so is the slow browser. Time is from
a reading's own time, which the simulator gives it when it publishes, to the tab's stream and to what its charts were
given to draw. Of the last two minutes the stream's records say, too, when the broker had a reading and when the stream.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import psutil
import typer
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.progress import track

from infra.local.bench.bench_session import bench_session
from infra.local.bench.stream_times import Reading, times_of
from infra.local.demo.screenshot import ARGUMENTS, find_browser
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.loopback import free_port
from infra.local.session import fleet_commands
from infra.local.session.console import make_users, start_console
from infra.local.session.platform import running
from iot_pipeline import settings

TENANTS, SITES = 2, 5
CHOSEN = 12
SAMPLE_SECONDS = 5.0
# Until the ring of recent readings has its size and the streams have theirs.
WARM_UP_SECONDS = 60
# Notes each chart's data as it is given to uPlot: when, and the newest reading's time in it.
_WATCH = """
window.__drawn = [];
let held;
Object.defineProperty(window, "uPlot", {
  configurable: true,
  get: () => held,
  set: (made) => {
    held = function (options, data, root) {
      const plot = new made(options, data, root);
      const set = plot.setData;
      plot.setData = (given, ...rest) => {
        const newest = given[0][given[0].length - 1];
        if (newest !== undefined) window.__drawn.push([Date.now(), newest * 1000]);
        return set(given, ...rest);
      };
      return plot;
    };
    Object.assign(held, made);
  },
});
"""


@dataclass
class Tab:
    """One stream: what it was sent. `delays` are milliseconds from a reading's time to its arrival here, `arrivals` the
    time of that (epoch milliseconds) of each device's numbers.
    """

    delays: list[float] = field(default_factory=list)
    arrivals: dict[Reading, float] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    missed: int = 0
    error: str | None = None

    def take(self, name: str, data: Any) -> None:
        """One event."""
        now = time.time() * 1000
        if name == "status":
            self.missed = data["missed"]
        elif name == "readings":
            for device, rows in data.items():
                self.numbers.setdefault(device, []).extend(int(row[1]) for row in rows)
                self.delays += [now - row[0] for row in rows]
                self.arrivals |= {(device, int(row[1])): now for row in rows}

    @property
    def gaps(self) -> int:
        """Readings between the first and the last of each device that did not come; each has a number of its own."""
        return sum(max(seen) - min(seen) + 1 - len(set(seen)) for seen in self.numbers.values() if seen)


def _follow(url: str, cookies: dict[str, str], devices: Sequence[str], tab: Tab, over: threading.Event) -> None:
    timeout = httpx.Timeout(30, read=30)
    asked = {"devices": ",".join(devices)}
    try:
        with (
            httpx.Client(base_url=url, cookies=cookies, timeout=timeout) as client,
            client.stream("GET", "/api/live/stream", params=asked) as answer,
        ):
            answer.raise_for_status()
            name = ""
            for text in answer.iter_lines():
                if over.is_set():
                    return
                if text.startswith("event: "):
                    name = text.removeprefix("event: ")
                elif text.startswith("data: "):
                    tab.take(name, json.loads(text.removeprefix("data: ")))
    except httpx.HTTPError as error:
        tab.error = repr(error)


@contextmanager
def _stuck(url: str, cookies: dict[str, str], devices: Sequence[str]) -> Iterator[None]:
    """A browser that asks for the stream, and takes nothing of it."""
    with (
        httpx.Client(base_url=url, cookies=cookies, timeout=30) as client,
        client.stream("GET", "/api/live/stream", params={"devices": ",".join(devices)}),
    ):
        yield


def sign_in(page: Page, url: str, user: str, password: str) -> None:
    """Sign in by the provider's form."""
    page.goto(f"{url}/login")
    page.fill('input[name="username"]', user)
    page.fill('input[name="password"]', password)
    page.click('button[type="submit"], input[type="submit"]')
    page.wait_for_url(f"{url}/")


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed; nan of less than two."""
    return statistics.quantiles(values, n=20)[18] if len(values) > 1 else float("nan")


def _row(console: Console, what: str, value: str, goal: str) -> None:
    console.print(f"{what:<58} {value:>16}   {goal}")


def measure(
    devices: Annotated[int, typer.Option(help="Devices, a reading a second each.")] = 500,
    streams: Annotated[int, typer.Option(help="Browsers' streams, the Chromium and the stuck one included.")] = 20,
    seconds: Annotated[int, typer.Option(help="For how long.")] = 600,
) -> None:
    """Publish, watch, print."""
    console = Console()
    with bench_session("console") as folder, ExitStack() as stack:
        _measure(stack, console, folder, devices, streams, seconds)


def _measure(stack: ExitStack, console: Console, folder: Path, devices: int, streams: int, seconds: int) -> None:
    platform = stack.enter_context(running(folder / "state", CHECKOUT / ".local", console))
    fleet_commands.onboard(folder / "fleet", devices, TENANTS, SITES)
    server = start_console(platform, free_port())
    stack.callback(server.stop)
    password = make_users(platform, [])["operator"]
    live = ["--rate", str(devices), "--pack", "1", "--duration", f"{seconds + WARM_UP_SECONDS + 120}s"]
    fleet = fleet_commands.start_publishing(platform, folder / "fleet", folder / "fleet.log", *live)
    stack.callback(_end, fleet)

    playwright = stack.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=find_browser(), headless=True, args=ARGUMENTS)
    stack.callback(browser.close)
    page = browser.new_page()
    page.add_init_script(_WATCH)
    sign_in(page, server.url, "operator", password)
    # What the provider's form complains of is not the console's.
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    cookies = {each["name"]: each["value"] for each in page.context.cookies(server.url)}
    page.locator(".cell").nth(devices - 1).wait_for(timeout=120_000)
    # Without what signing in takes.
    page.goto(server.url)
    page.locator(".cell").nth(devices - 1).wait_for(timeout=120_000)
    first_paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    names = [
        str(row)
        for row in page.evaluate("[...document.querySelectorAll('.cell')].map((cell) => cell.ariaLabel.split(',')[0])")
    ]
    for place in range(CHOSEN):
        page.locator(".cell").nth(place * (devices // CHOSEN)).click()

    over = threading.Event()
    tabs = [Tab() for _ in range(streams - 2)]
    for number, tab in enumerate(tabs):
        chosen = names[number * CHOSEN % devices :][:CHOSEN]
        thread = threading.Thread(target=_follow, args=(server.url, cookies, chosen, tab, over), daemon=True)
        thread.start()
    stack.callback(over.set)
    stack.enter_context(_stuck(server.url, cookies, names[:CHOSEN]))

    time.sleep(WARM_UP_SECONDS)
    process = psutil.Process(server.process.pid)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.evaluate("window.__drawn.length = 0")
    for tab in tabs:
        tab.delays.clear()
    busy, began, memory, used = _busy(session), time.monotonic(), [], sum(process.cpu_times()[:2])
    for _ in track(range(int(seconds / SAMPLE_SECONDS)), "watching", console=console):
        page.wait_for_timeout(SAMPLE_SECONDS * 1000)
        memory.append(process.memory_info().rss)
    took = time.monotonic() - began
    share = (_busy(session) - busy) / took
    drawn = [at - newest for at, newest in page.evaluate("window.__drawn")]
    cpu = (sum(process.cpu_times()[:2]) - used) / took

    broker_to_stream, stream_to_tab = _hops(tabs)
    delays = [delay for tab in tabs for delay in tab.delays]
    gaps, missed = sum(tab.gaps for tab in tabs), sum(tab.missed for tab in tabs)
    fifth = max(1, len(memory) // 5)
    first, last = statistics.median(memory[:fifth]), statistics.median(memory[-fifth:])
    console.print(f"\n{devices} devices, {streams} streams (one of them stuck), {took:.0f} s; {_machine()}\n")
    _row(console, "readings that 18 tabs were sent", f"{len(delays):,}", "")
    _row(console, "  not sent, by their numbers; told as missed", f"{gaps:,}; {missed:,}", "goal: the same")
    _row(console, "device to tab, p50 / p95", _quantiles(delays), "")
    _row(console, "  broker to stream", _quantiles(broker_to_stream), "")
    _row(console, "  stream to tab", _quantiles(stream_to_tab), "goal: p95 at most 1,000 ms")
    _row(console, "device to drawn, p50 / p95", _quantiles(drawn), "")
    _row(console, "service's memory, first and last fifth (median)", f"{first / 1e6:.0f}; {last / 1e6:.0f} MB", "")
    _row(console, "  growth", f"{100 * (last / first - 1):+.1f}%", "goal: at most 10%")
    _row(console, "service's processor", f"{100 * cpu:.0f}% of a core", "")
    _row(console, "first paint of the fleet's page", f"{first_paint:,.0f} ms", "goal: under 1,000 ms")
    _row(console, "the browser's main thread is busy", f"{100 * share:.0f}%", "goal: under 30%")
    _row(console, "errors in the browser's console", str(len(errors)), "goal: 0")
    for error in [*errors[:5], *(tab.error for tab in tabs if tab.error)][:10]:
        console.print(f"  {error}")


def _hops(tabs: Sequence[Tab]) -> tuple[list[float], list[float]]:
    """Of the readings of the last two minutes, milliseconds from the broker to the stream, and on to each tab."""
    to_stream, to_tab = [], []
    for reading, received, arrived in times_of(settings.edge().stream, datetime.now(UTC) - timedelta(minutes=2)):
        to_stream.append(arrived - received)
        to_tab += [tab.arrivals[reading] - arrived for tab in tabs if reading in tab.arrivals]
    return to_stream, to_tab


def _quantiles(delays: Sequence[float]) -> str:
    return f"{statistics.median(delays):,.0f} / {p95(delays):,.0f} ms"


def _busy(session: Any) -> float:
    """Seconds in which the page's main thread has run tasks."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def _end(fleet: subprocess.Popen[bytes]) -> None:
    fleet.terminate()
    fleet.wait(60)


def _machine() -> str:
    return (
        f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB, Python {sys.version.split()[0]}"
    )


if __name__ == "__main__":
    typer.run(measure)
