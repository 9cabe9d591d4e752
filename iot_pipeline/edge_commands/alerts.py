"""Alerts and states: what is wrong now, what was, who takes care of it, and planned work."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from iot_pipeline.alerting.episodes import iso
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.table import silence as new_silence
from iot_pipeline.command_line import out, table_of
from iot_pipeline.connections.edge import open_alerts, open_states
from iot_pipeline.contract import METRICS
from iot_pipeline.edge.evaluation import subject_of
from iot_pipeline.edge_commands.app import app, duration, explained, now_ms

ByOption = Annotated[str, typer.Option("--by", help="Who you are.")]


@app.command()
def alerts(
    device: Annotated[str | None, typer.Option(help="All episodes of one device, the newest first.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Of one tenant alone.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Resolved ones too, of the last 90 days.")] = False,
) -> None:
    """Alerts: those that are open, or with `--history` all that are kept here; the lake keeps them for good.

    Each is an episode with an id, by which `acknowledge` takes it.
    """
    with explained():
        table = open_alerts()
        if device is not None:
            found = list(table.history(subject_of(device)))
        elif history:
            found = sorted((each for each in table.everything() if "rule" in each), key=lambda each: each["opened_ms"])
        else:
            found = sorted(table.all_open(), key=lambda each: each["opened_ms"])
        if tenant is not None:
            found = [each for each in found if each["tenant"] == tenant]
    out.print(episodes_table(found))
    out.print(f"{len(found)} episodes, {sum(1 for each in found if each['status'] != 'resolved')} open")


def episodes_table(episodes: list[dict[str, Any]]) -> Table:
    """Episodes as people read them; times are UTC."""
    table = table_of("id", "severity", "rule", "where", "since", "until", "worst", "limit", "state")
    for each in episodes:
        state = "flapping" if each.get("flapping") else str(each["status"])
        if "acknowledged_by" in each:
            state += f", acknowledged by {each['acknowledged_by']}: {each['acknowledged_reason']}"
        if "parent" in each:
            state += ", held back by its site's"
        where = each.get("about") or "/".join(part for part in (each["tenant"], each["site"], each["device"]) if part)
        table.add_row(
            each["id"],
            Severity(int(each["severity"])).label,
            " ".join(part for part in (each["rule"], each["metric"]) if part),
            where,
            each["opened_at"],
            iso(int(each["resolved_ms"])) if "resolved_ms" in each else "",
            _number(each.get("worst")),
            _number(each.get("limit")),
            state,
        )
    return table


@app.command()
def acknowledge(
    episode: Annotated[str, typer.Argument(help="The episode's id.")],
    by: ByOption,
    reason: Annotated[str, typer.Option(help="What is being done about it.")],
) -> None:
    """Take an alert on: nobody is reminded of it any more. It stays open until its cause is gone."""
    with explained():
        open_alerts().acknowledge(episode, by, reason, now_ms())
    out.print(f"{episode} is acknowledged by {by}", soft_wrap=True)


@app.command()
def silence(
    by: ByOption,
    reason: Annotated[str, typer.Option(help="What is being worked on.")],
    lasts: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 7d.")],
    tenant: Annotated[str | None, typer.Option()] = None,
    site: Annotated[str | None, typer.Option()] = None,
    device: Annotated[str | None, typer.Option()] = None,
    rule: Annotated[str | None, typer.Option()] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When it begins, ISO 8601 with a zone.  [default: now]")
    ] = None,
) -> None:
    """Planned work: alerts of what it names tell nobody meanwhile, and are told afterwards if they are still open.

    `silence --tenant acme --site bern --for 2h --by ada --reason "new gateway"`
    """
    with explained():
        scope = {n: v for n, v in (("tenant", tenant), ("site", site), ("device", device), ("rule", rule)) if v}
        begin = now_ms()
        if at is not None:
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None:
                raise ValueError(f"--at {at}: expected a zone, such as 2026-11-28T12:00:00Z")
            begin = int(moment.astimezone(UTC).timestamp() * 1000)
        made = new_silence(scope, begin, begin + round(duration(lasts).total_seconds() * 1000), by, reason)
        open_alerts().add_silence(made)
    out.print(f"silence {made.id} from {iso(made.from_ms)} to {iso(made.until_ms)}", soft_wrap=True)


@app.command()
def silences() -> None:
    """Planned work: what is silenced, until when, by whom and why."""
    with explained():
        found = open_alerts().silences()
    table = table_of("id", "scope", "from", "until", "by", "reason")
    for each in found:
        scope = ", ".join(f"{name} {value}" for name, value in each.scope.items())
        table.add_row(each.id, scope, iso(each.from_ms), iso(each.until_ms), each.author, each.reason)
    out.print(table)


@app.command()
def state(device: Annotated[str, typer.Argument(help="Device id.")]) -> None:
    """What is known of a device now: latest values with their times, firmware, what it sent by outcome, open alerts."""
    with explained():
        held = open_states().load([device])[device]
        if held.version == 0:
            raise ValueError(f"nothing has arrived from a device {device!r} yet")
        episodes = [each for each in open_alerts().history(subject_of(device)) if each["status"] != "resolved"]
    head = table_of("", "", show_header=False)
    head.add_row("device", f"{held.tenant}/{held.site}/{held.device}")
    head.add_row("last arrival", f"{iso(held.arrival_ms)}, {(now_ms() - held.arrival_ms) / 1000:.0f} s ago")
    head.add_row("firmware", held.firmware or "not said")
    head.add_row("readings", ", ".join(f"{count} {name}" for name, count in sorted(held.counts.items())))
    out.print(head)
    values = table_of("metric", "value", "unit", "event time", "arrival")
    for name, series in sorted(held.series.items()):
        values.add_row(name, f"{series.value:g}", _unit(name), iso(series.at_ms), iso(series.arrival_ms))
    out.print(values)
    out.print(episodes_table(episodes))


def _unit(metric: str) -> str:
    return next((each.unit for each in METRICS if each.name == metric), "")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
