"""A real machine's temperature through devices, broker and Lambda, and a picture of the alerts it raised.

`python -m infra.local.demo.machine_temperature` replays `../shared/data/machine_temperature.csv` (Numenta
Anomaly Benchmark: 79 days, a value every five minutes, degrees Fahrenheit), its latest reading moved to now. The
platform is deployed with a lateness bound that lets the whole file in. What is that late is history to the edge: its
episodes are on record as such, and nobody is notified.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.console import Console

from infra.local.demo import live_alerts
from infra.local.servers.checkout import CHECKOUT
from infra.local.session import fleet_commands
from infra.local.session.leftovers import clear
from infra.local.session.platform import Platform, running
from infra.stacks.config import LATENESS_VARIABLE
from iot_pipeline import settings
from iot_pipeline.alerting.nab import corpus
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.contract.layout import EDGE_RULES
from iot_pipeline.edge.evaluation import subject_of
from iot_pipeline.registry import alert_rules
from simulator.fleet import load_fleet
from simulator.manifest import read_manifest

DATA = CHECKOUT.parent / "shared" / "data"
LATENESS_DAYS = 100
WIDTH, HEIGHT, MARGIN = 1200, 360, 45
Point = tuple[int, float]
Span = tuple[int, int]


@dataclass(frozen=True)
class Found:
    """What the file holds and what the edge made of it, in the file's own time, epoch milliseconds."""

    points: Sequence[Point]
    windows: Sequence[Span]
    episodes: Sequence[Span]

    @property
    def hit(self) -> int:
        """Labelled windows with an episode in them."""
        return sum(any(begin <= at <= end for at, _ in self.episodes) for begin, end in self.windows)

    @property
    def outside(self) -> int:
        """Episodes that begin in no labelled window."""
        return sum(not any(begin <= at <= end for begin, end in self.windows) for at, _ in self.episodes)


def read(file: Path, windows: Path) -> tuple[list[Point], list[Span]]:
    """Times and values of a series, in order of time, and its labelled windows. Raises CorpusError."""
    (series,) = (each for each in corpus.load(file.parent, windows).series if each.name == file.stem)
    spans = [(series.times[each.first], series.times[each.last]) for each in series.windows]
    return sorted(zip(series.times, series.values, strict=True)), spans


def spans_of(episodes: Sequence[Mapping[str, Any]], shift_ms: int, until_ms: int) -> list[Span]:
    """The anomalies among episodes, moved back by what the file was moved; what is still open lasts until the end."""
    return sorted(
        (int(each["opened_ms"]) - shift_ms, int(each.get("resolved_ms", until_ms + shift_ms)) - shift_ms)
        for each in episodes
        if each["rule"] == "anomaly"
    )


def picture(found: Found, title: str) -> str:
    """Values, labelled windows and alerts, as SVG."""
    first, last = found.points[0][0], found.points[-1][0]
    low, high = min(v for _, v in found.points), max(v for _, v in found.points)

    def x(at_ms: int) -> float:
        return round(MARGIN + (at_ms - first) / (last - first) * (WIDTH - 2 * MARGIN), 1)

    def y(value: float) -> float:
        return round(HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2 * MARGIN), 1)

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            'font-size="12">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{MARGIN}" y="20" font-size="14">{title}</text>',
    ]
    top, bottom = MARGIN, HEIGHT - MARGIN
    for begin, end in found.windows:
        wide = max(1, round(x(end) - x(begin), 1))
        parts.append(f'<rect x="{x(begin)}" y="{top}" width="{wide}" height="{bottom - top}" fill="#ffe9b3"/>')
    path = " ".join(f"{x(at)},{y(value)}" for at, value in found.points[::6])
    parts.append(f'<polyline points="{path}" fill="none" stroke="#3b6ea5" stroke-width="0.8"/>')
    for begin, end in found.episodes:
        wide = max(2, round(x(end) - x(begin), 1))
        parts.append(f'<rect x="{x(begin)}" y="{bottom + 3}" width="{wide}" height="9" fill="#c0392b"/>')
        parts.append(
            f'<line x1="{x(begin)}" x2="{x(begin)}" y1="{top}" y2="{bottom + 3}" stroke="#c0392b" stroke-width="0.7"/>'
        )
    parts += [f'<text x="4" y="{y(value) + 4}">{value:.0f} °F</text>' for value in (low, (low + high) / 2, high)]
    for at in range(first, last, (last - first) // 6):
        day = datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
        parts.append(f'<text x="{x(at)}" y="{HEIGHT - 12}">{day}</text>')
    parts.append(
        f'<text x="{WIDTH - 330}" y="20"><tspan fill="#b8860b">■</tspan> labelled windows '
        '<tspan fill="#c0392b">■</tspan> anomaly alerts (start to end)</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _replay(platform: Platform, file: Path, score: float) -> tuple[list[dict[str, Any]], int]:
    """Replay a file as the fleet's first device; the device's episodes, and the time of the last reading sent."""
    folder = platform.state_dir / "fleet"
    fleet_commands.onboard(folder, 1, 1, 1)
    _set_rule(score)
    fleet_commands.replay(platform, folder, file, lateness_days=LATENESS_DAYS)
    live_alerts.wait_for_edge()
    device = load_fleet(folder).devices[0]
    table = AlertsTable(boto3.client("dynamodb"), settings.edge().alerts_table)
    episodes = list(table.history(subject_of(device.device_id)))
    return episodes, int(read_manifest(folder / "out")["ts_ms"].max())


def _set_rule(score: float) -> None:
    """Set the anomaly rule of the one tenant, and publish it."""
    with open_registry() as connection:
        for (tenant,) in connection.execute("SELECT tenant_id FROM registry.tenants").fetchall():
            wanted: dict[str, float | None] = {"score": score, "resolution": 0.0}
            why = "a sensor of two decimals"
            alert_rules.set_rule(connection, "anomaly", "temperature", {"tenant": tenant}, wanted, "demo", why)
        alert_rules.published(connection, boto3.client("s3"), settings.edge().rules_bucket, EDGE_RULES)


def main(
    file: Annotated[Path, typer.Option(help="The series.")] = DATA / "machine_temperature.csv",
    windows: Annotated[Path, typer.Option(help="Its labelled windows.")] = DATA / "machine_temperature_windows.json",
    score: Annotated[float, typer.Option(help="The detector's score from which the rule opens an alert.")] = 0.3,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = CHECKOUT / ".local/machine-temperature.svg",
    state: Annotated[Path, typer.Option("--state", help="Folder for everything it writes.")] = CHECKOUT
    / ".local/machine-temperature",
) -> None:
    """Replay the series and draw what came of it. Exit code 1 if no labelled window has an alert."""
    console = Console(highlight=False, width=140)
    missing = [str(each) for each in (file, windows) if not each.exists()]
    if missing:
        console.print(f"skipped: {' and '.join(missing)} not there (Numenta Anomaly Benchmark)", soft_wrap=True)
        return
    points, labelled = read(file, windows)
    os.environ[LATENESS_VARIABLE] = str(LATENESS_DAYS)
    clear(state)
    with running(state, CHECKOUT / ".local", console) as platform:
        settings.edge.cache_clear()
        episodes, latest_ms = _replay(platform, file, score)
    until_ms = points[-1][0]
    found = Found(points, labelled, spans_of(episodes, latest_ms - until_ms, until_ms))
    told = sum("notified_ms" in each or "outbox" in each for each in episodes if each["is_history"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(picture(found, f"{file.name}: {len(points):,} readings, {len(found.episodes)} anomaly episodes"))
    for begin, end in found.episodes:
        marks = [str(number) for number, (a, b) in enumerate(found.windows, 1) if a <= begin <= b]
        where = f"in window {', '.join(marks)}" if marks else "in none"
        lasted = (end - begin) / 3_600_000
        console.print(f"  {datetime.fromtimestamp(begin / 1000, UTC):%Y-%m-%d %H:%M} for {lasted:.1f} h, {where}")
    console.print(
        f"{found.hit} of {len(found.windows)} labelled windows have an anomaly alert; {found.outside} alerts outside; "
        f"{sum(each['is_history'] for each in episodes)} of {len(episodes)} episodes are history, of which people were "
        f"told of {told}; picture: {out}",
        soft_wrap=True,
    )
    raise typer.Exit(0 if found.hit and told == 0 else 1)


if __name__ == "__main__":
    typer.run(main)
