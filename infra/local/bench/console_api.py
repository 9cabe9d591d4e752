"""`make bench-console-api`: every call of the console's API but queries, 20 users at once; p50 and p95 by route."""

import random
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Annotated

import httpx
import typer
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from infra.local.bench.bench_session import bench_session
from infra.local.bench.console_streams import p95, sign_in
from infra.local.demo.screenshot import ARGUMENTS, find_browser
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.loopback import free_port
from infra.local.session import fleet_commands
from infra.local.session.console import make_users, start_console
from infra.local.session.platform import running
from iot_pipeline.console.access import ROUTES, Access
from iot_pipeline.console.viewer import Role

GOAL_MS = 50.0
DEVICES, TENANTS, SITES = 40, 2, 2
# A stream, what signs in and out, and what asks Athena.
LEFT_OUT = ("/stream", "/login", "/callback", "/signed-out", "/queries/", "/books", "/series", "/quality", "/history")
Times = dict[str, list[float]]


def asked(device: str) -> list[str]:
    """The routes that read, each with a device or a tile in its place."""
    return [
        path.replace("{device}", device).replace("{tile}", "runs")
        for (method, path), row in ROUTES.items()
        if method == "GET" and _is_open(row) and not any(part in path for part in LEFT_OUT)
    ]


def _is_open(row: Access) -> bool:
    return row.roles is None or Role.ADMIN in row.roles


@dataclass(frozen=True)
class _User:
    """Asks every route so often, each time after `pause` seconds in the mean, as somebody who reads what came."""

    url: str
    cookies: dict[str, str]
    paths: list[str]
    rounds: int
    pause: float
    seed: int = 0

    def ask(self, took: Times, lock: threading.Lock) -> None:
        """Note how many milliseconds each answer took."""
        rng = random.Random(self.seed)  # noqa: S311  # a schedule, no secret
        with httpx.Client(base_url=self.url, cookies=self.cookies, timeout=60) as client:
            for path in rng.sample(self.paths, len(self.paths)) * self.rounds:
                time.sleep(rng.uniform(0, 2 * self.pause))
                began = time.perf_counter()
                client.get(path).raise_for_status()
                milliseconds = (time.perf_counter() - began) * 1000
                with lock:
                    took[path].append(milliseconds)


def measure(
    users: Annotated[int, typer.Option(help="How many ask at once.")] = 20,
    rounds: Annotated[int, typer.Option(help="How often each asks every route.")] = 20,
    pause: Annotated[float, typer.Option(help="Seconds between a user's calls, in the mean; 0: none.")] = 0.5,
) -> None:
    """Ask, and print."""
    console = Console()
    with bench_session("console-api") as folder, ExitStack() as stack:
        platform = stack.enter_context(running(folder / "state", CHECKOUT / ".local", console))
        fleet_commands.onboard(folder / "fleet", DEVICES, TENANTS, SITES)
        fleet_commands.publish(platform, folder / "fleet", "--rate", "200", "--pack", "5", "--duration", "10s")
        server = start_console(platform, free_port())
        stack.callback(server.stop)
        password = make_users(platform, [])["admin"]
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_browser(), headless=True, args=ARGUMENTS)
        stack.callback(browser.close)
        page = browser.new_page()
        sign_in(page, server.url, "admin", password)
        cookies = {each["name"]: each["value"] for each in page.context.cookies(server.url)}
        page.wait_for_selector(".cell")
        device = str(page.locator(".cell").first.get_attribute("aria-label")).split(",")[0]
        browser.close()
        _measure(console, _User(server.url, cookies, asked(device), rounds, pause), users)


def _measure(console: Console, user: _User, users: int) -> None:
    replace(user, rounds=1, pause=0).ask(defaultdict(list), threading.Lock())
    took: Times = defaultdict(list)
    lock = threading.Lock()
    threads = [
        threading.Thread(target=replace(user, seed=number).ask, args=(took, lock), name=f"user {number}")
        for number in range(users)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    table = Table("route", "calls", "p50, ms", "p95, ms", f"p95 under {GOAL_MS:.0f} ms")
    for path, times in sorted(took.items(), key=lambda each: -p95(each[1])):
        ordered = sorted(times)
        found = p95(times)
        table.add_row(path, str(len(times)), f"{ordered[len(ordered) // 2]:.0f}", f"{found:.0f}", str(found < GOAL_MS))
    console.print(table)
    calls = sum(map(len, took.values()))
    console.print(f"{users} users, {user.pause:g} s between a user's calls: {calls / seconds:,.0f} calls a second")


if __name__ == "__main__":
    typer.run(measure)
