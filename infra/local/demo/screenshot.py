"""`python -m infra.local.demo.screenshot URL OUT_DIR`: pictures of the Dagster UI, taken by a headless browser."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import FloatRect, Page, ViewportSize, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",  # it shows our own loopback alone, and root, as in a container, cannot have the sandbox
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Expanded in the picture; the models of dbt are many, and shown as their groups.
GROUPS = ("raw", "judged", "curated", "warehouse", "registry")
CURATED = "/assets/curated_telemetry"
SIZE: ViewportSize = {"width": 2000, "height": 900}
# Wide enough that Dagster draws each asset with its checks, partitions and kinds.
GRAPH_SIZE: ViewportSize = {"width": 3400, "height": 1200}
# The graph without the navigation beside it.
GRAPH_CLIP: FloatRect = {"x": 541, "y": 110, "width": 2800, "height": 1050}
READY_MILLISECONDS = 30_000
# The graph lays itself out and zooms in after its text is there.
SETTLE_MILLISECONDS = 2_500


class BrowserMissingError(RuntimeError):
    """No browser is installed; the text says how to get one."""


def find_browser() -> str:
    """The system's Chromium. Raises BrowserMissingError."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    raise BrowserMissingError(
        f"none of {', '.join(BROWSERS)} is on the PATH; install one, on Debian: "
        "apt-get update && apt-get install -y chromium"
    )


@contextmanager
def dagster_page(url: str) -> Iterator[Page]:
    """A browser's page on the Dagster UI at `url`, past its greeting. Raises BrowserMissingError."""
    executable = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=ARGUMENTS)
        try:
            page = browser.new_page(viewport=SIZE, base_url=url)
            page.set_default_timeout(READY_MILLISECONDS)
            # Dagster greets a new instance with a form for a mailing list, over everything.
            page.request.post("/graphql", data={"query": "mutation { setNuxSeen }"})
            yield page
        finally:
            browser.close()


def open_graph(page: Page) -> None:
    """The graph of all assets, with its groups expanded."""
    page.set_viewport_size(GRAPH_SIZE)
    expanded = ",".join(f"global@global:{group}" for group in GROUPS)
    page.goto(f"/asset-groups?expanded={expanded}")
    page.locator("svg").get_by_text("curated_telemetry").first.wait_for()


def open_curated(page: Page, view: str) -> None:
    """A tab of the curated asset's page, such as overview or checks."""
    page.set_viewport_size(SIZE)
    page.goto(f"{CURATED}?view={view}")
    page.get_by_text("Materialize…").wait_for()


def take_screenshots(page: Page, folder: Path) -> list[Path]:
    """Pictures of the graph and of the curated asset's overview and checks, as PNG files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    open_graph(page)
    taken = [_shot(page, folder / "dagster-graph.png", GRAPH_CLIP)]
    for view in ("overview", "checks"):
        open_curated(page, view)
        taken.append(_shot(page, folder / f"dagster-curated-{view}.png"))
    return taken


def _shot(page: Page, path: Path, clip: FloatRect | None = None) -> Path:
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    page.screenshot(path=path, clip=clip)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m infra.local.demo.screenshot URL OUT_DIR")
    try:
        with dagster_page(sys.argv[1]) as opened:
            for picture in take_screenshots(opened, Path(sys.argv[2])):
                print(picture)
    except BrowserMissingError as error:
        sys.exit(str(error))
