"""The command line of the simulator."""

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import typer
from rich.markup import escape

from iot_pipeline.contract import CONTRACT, TOPIC_ROOT
from simulator.cli_support import endpoint, err, explained, out, publish
from simulator.durations import epoch_ms, seconds
from simulator.enrolment import CATALOG_FILE, LIST_FILE
from simulator.enrolment import enrol as write_enrolment
from simulator.faults import FAULTS, choose_faults
from simulator.fleet import Fleet, load_fleet, make_fleet
from simulator.manifest_writer import Manifest
from simulator.outbox import Outbox
from simulator.plan import MAX_AGE_DAYS, MAX_PACK, Plan, history_plan, live_plan
from simulator.publisher import now_ms
from simulator.replay import ReplaySource, numbered_by_time, parse_mapping, read_csv, rebased
from simulator.report import ledger_table
from simulator.run import Run, Source, fleet_source

_FAULT_LIST = "\n\n".join(
    f"{fault.name} ({fault.rate:g} of {fault.scope}): {fault.effect}." for fault in FAULTS.values()
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""A fleet of devices that speaks to AWS IoT Core as real ones do: each with its own certificate, MQTT 5 over
TLS, QoS 1, packed messages, an outbox on disk, plausible signals, and faults by name and rate. It writes down what it
truly sent, so that a platform's books can be checked against the world.

A first round, against a platform whose registry is reached by the ordinary environment:

`python -m simulator enrol .local/fleet --devices 20`

`python -m iot_pipeline.registry apply .local/fleet/catalog.json`

`python -m iot_pipeline.registry onboard-all .local/fleet/onboarding.csv --out .local/fleet/devices`

`python -m simulator run .local/fleet --endpoint HOST:8883 --ca ca.pem --rate 200 --duration 60s --faults all`

`python -m simulator summary .local/fleet/out`
""",
)
FleetFolder = Annotated[
    Path, typer.Argument(help="Folder of the fleet: fleet.json, and devices/ with keys and certificates.")
]
EndpointOption = Annotated[
    str, typer.Option("--endpoint", envvar="SIMULATOR_ENDPOINT", help="MQTT endpoint, host:port; port 8883 by default.")
]
CaOption = Annotated[
    Path, typer.Option("--ca", envvar="SIMULATOR_CA", help="CA that signed the broker's certificate (PEM).")
]
TopicRootOption = Annotated[
    str, typer.Option(envvar="IOT_TOPIC_ROOT", help="First level of the topics; each environment has its own.")
]
DevicesOption = Annotated[int, typer.Option(min=1, help="How many; raise it later to add devices.")]
TenantsOption = Annotated[int, typer.Option(min=1, help="Tenants; devices are spread evenly.")]
SitesOption = Annotated[int, typer.Option(min=1, help="Sites of each tenant.")]
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed and options make the same fleet.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for outbox, manifest and summary.json.  [default: FLEET/out]")
]
PackOption = Annotated[int, typer.Option(min=1, max=MAX_PACK, help="Readings in a message, at most.")]
DrainOption = Annotated[
    str, typer.Option("--drain-timeout", help="Give up when no answer came for so long though messages are due.")
]
InflightOption = Annotated[int, typer.Option(min=1, help="Unanswered messages of the whole fleet, at most.")]


@app.command()
def enrol(
    fleet: FleetFolder,
    devices: DevicesOption = 20,
    tenants: TenantsOption = 2,
    sites: SitesOption = 2,
    seed: SeedOption = 1,
    expected_interval: Annotated[str, typer.Option(help="How often each device should send a reading.")] = "60s",
) -> None:
    """Make keys and signing requests, and the lists that a device registry onboards them from.

    Nothing is created at AWS: the platform's registry does that. Safe to repeat: keys that exist are kept. Afterwards,
    with the platform's own command line: `python -m iot_pipeline.registry apply FLEET/catalog.json`, then
    `python -m iot_pipeline.registry onboard-all FLEET/onboarding.csv --out FLEET/devices`.
    """
    with explained():
        write_enrolment(make_fleet(devices, tenants, sites, seed), fleet, seconds(expected_interval))
    out.print(f"{devices} devices in {fleet}: {CATALOG_FILE}, {LIST_FILE}, and a signing request each", soft_wrap=True)


def _run_help() -> str:
    return f"""Publish readings, live or as a backlog of past hours, with the faults you ask for.

First it sends what an earlier, killed run left unacknowledged, the same bytes. It ends when every message is answered,
with exit code 1 if some are not, or were rejected. Ctrl-C ends it early and in order.

A live minute, 10,000 readings a second: `run FLEET --rate 10000 --duration 60s --faults all`

A day's backlog at full speed: `run FLEET --history 24h --readings 1000000 --pack 200`. A killed backlog goes
on where it was when it is run again with the same options.

Chosen faults: `--fault late=0.01 --fault malformed=0.001`; the default mix without one: `--faults all --fault leak=0`.

**Faults, their rate in the default mix, and what becomes of the reading:**

{_FAULT_LIST}
"""


@app.command(help=_run_help())
def run(
    fleet: FleetFolder,
    broker: EndpointOption,
    ca: CaOption,
    out_folder: OutOption = None,
    devices: Annotated[int | None, typer.Option(min=1, help="Only the first N devices.  [default: all]")] = None,
    rate: Annotated[float, typer.Option(min=0.001, help="Readings a second of the whole fleet (live).")] = 100.0,
    duration: Annotated[str, typer.Option(help="How long to publish (live): 90s, 5m, 24h, 7d.")] = "60s",
    history: Annotated[
        str | None, typer.Option(help="Publish the past so many hours instead, as fast as possible.")
    ] = None,
    readings: Annotated[int, typer.Option(min=1, help="Readings of the backlog (with --history).")] = 100_000,
    until: Annotated[str | None, typer.Option(help="End of the backlog, ISO-8601 with a zone.  [default: now]")] = None,
    pack: PackOption = 25,
    faults: Annotated[str, typer.Option(help="all: the default mix; none.")] = "none",
    fault: Annotated[list[str] | None, typer.Option(help="NAME=RATE, repeatable; on top of --faults.")] = None,
    inflight: InflightOption = 1000,
    topic_root: TopicRootOption = TOPIC_ROOT,
    drain_timeout: DrainOption = "30s",
) -> None:
    with explained():
        loaded = load_fleet(fleet)
        chosen = Fleet(loaded.seed, loaded.devices[:devices])
        rates = choose_faults(faults, fault or [])
        count = len(chosen.devices)
        hours = None if history is None else seconds(history) / 3600
        until_ms = None if until is None else epoch_ms(until)

        def make_plan() -> Plan:
            if hours is None:
                return live_plan(count, rate, seconds(duration), pack, now_ms())
            plan = history_plan(count, readings, hours, pack, until_ms or now_ms())
            if not plan.timely(now_ms()):
                raise ValueError(
                    f"--history {history} --until {until or 'now'}: the backlog may begin at most "
                    f"{CONTRACT.lateness_bound.days - 1} days ago and end within the last {MAX_AGE_DAYS} days; "
                    "what is older would arrive too late"
                )
            return plan

        make_plan()  # refuse impossible options before anything is opened
        target = Run(
            out_folder or fleet / "out",
            fleet,
            chosen.devices,
            endpoint(broker, ca, topic_root),
            inflight,
            seconds(drain_timeout),
        )
        options = {"history_h": hours, "readings": readings, "pack": pack, "until": until, "rate": rate}

        def make_source() -> Source:
            source, plan, resumed = fleet_source(target.outbox, chosen, rates, options, make_plan, inflight)
            if resumed:
                err.print("continuing the unfinished backlog", soft_wrap=True)
            err.print(
                f"{plan.total_readings:,} readings of {count} devices in {plan.messages * count:,} messages of up to "
                f"{plan.pack} readings",
                soft_wrap=True,
            )
            return source

        publish(target, make_source)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="CSV file with a header line.", exists=True, dir_okay=False)],
    fleet: FleetFolder,
    broker: EndpointOption,
    ca: CaOption,
    maps: Annotated[list[str] | None, typer.Option("--map", help="METRIC=COLUMN, repeatable.")] = None,
    units: Annotated[
        list[str] | None, typer.Option("--unit", help="METRIC=UNIT of its column, if not the first.")
    ] = None,
    time_column: Annotated[str, typer.Option(help="Column of the event time.")] = "timestamp",
    time_zone: Annotated[str, typer.Option(help="Zone of times without one.")] = "UTC",
    device: Annotated[str | None, typer.Option(help="Device to replay as.  [default: the fleet's first]")] = None,
    rebase: Annotated[bool, typer.Option(help="Move the file in time: its latest reading becomes now.")] = False,
    whole_hours: Annotated[bool, typer.Option(help="Move by whole hours, keeping minutes (with --rebase).")] = False,
    seq_from_time: Annotated[bool, typer.Option(help="seq is the event time in ms, not the row number.")] = False,
    skip_bad_rows: Annotated[bool, typer.Option(help="Print and count unreadable rows and go on.")] = False,
    lateness_bound: Annotated[
        str | None, typer.Option(help="The platform's bound, if it was raised, for the manifest.  [default: 30d]")
    ] = None,
    out_folder: OutOption = None,
    pack: PackOption = 100,
    inflight: InflightOption = 1000,
    topic_root: TopicRootOption = TOPIC_ROOT,
    drain_timeout: DrainOption = "30s",
) -> None:
    """Send a CSV file as one device's readings, as fast as the broker acknowledges.

    `python -m simulator replay machine_temperature.csv FLEET --map temperature=value --unit temperature=F --rebase`

    A row's seq is its number in the file, from 1: rows with the same time are different readings, and replaying a file
    again sends the same keys again. With `--seq-from-time` rows of the same time have the same key, so that the
    platform sees duplicates or conflicts. Empty fields are metrics not sent. What the contract rejects (too late, out
    of range) is sent all the same, and the manifest says so.
    """
    with explained():
        loaded = load_fleet(fleet)
        name = device or loaded.devices[0].device_id
        chosen = [item for item in loaded.devices if item.device_id == name]
        if not chosen:
            raise ValueError(f"--device {name}: not in {fleet}; its first is {loaded.devices[0].device_id}")
        mapped = parse_mapping(maps or [], units or [])
        skipped: list[str] | None = [] if skip_bad_rows else None
        rows = read_csv(file, mapped, time_column, _zone(time_zone), skipped)
        for text in skipped or []:
            err.print(f"[yellow]skipped: {escape(text)}[/]", soft_wrap=True)
        if not rows:
            raise ValueError(f"{file} has no readable row")
        bound = CONTRACT.lateness_bound if lateness_bound is None else timedelta(seconds=seconds(lateness_bound))
        target = Run(
            out_folder or fleet / "out",
            fleet,
            tuple(chosen),
            endpoint(broker, ca, topic_root),
            inflight,
            seconds(drain_timeout),
        )
        err.print(f"{len(rows):,} rows of {file}, {len(skipped or [])} skipped, as {name}", soft_wrap=True)

        def make_source() -> Source:
            sent_ms = now_ms()
            # A second ago: a reading exactly as old as the lateness bound would be late or not by milliseconds.
            moved = rebased(rows, sent_ms - 1000, whole_hours) if rebase else rows
            keyed = numbered_by_time(moved) if seq_from_time else moved
            source = ReplaySource(target.outbox, chosen[0], mapped, keyed, pack, bound, sent_ms, inflight)
            if source.borderline:
                err.print(f"[yellow]{source.borderline} readings are within a minute of the lateness bound[/]")
            return source

        publish(target, make_source)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        raise ValueError(f"--time-zone {name!r} is unknown; write it as UTC or Europe/Berlin") from None


@app.command()
def summary(
    folder: Annotated[Path, typer.Argument(help="The --out folder of a run or replay.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """What the manifest says the platform must hold: valid, quarantined by reason, duplicates, conflicts, curated.

    Brings the manifest up to date first, so that it also tells what a killed run had acknowledged.
    """
    from simulator.manifest import expected_ledger  # pandas costs a second, which only this command needs

    with explained():
        if not (folder / "outbox.db").exists():
            raise FileNotFoundError(f"{folder} has no outbox.db; give the --out folder of a run or replay")
        outbox = Outbox(folder)
        try:
            Manifest(folder, outbox).finish()
        finally:
            outbox.close()
        ledger = expected_ledger(folder)
    if json:
        sys.stdout.buffer.write(orjson.dumps(asdict(ledger), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        out.print(ledger_table(ledger))


app.command("expected", hidden=True)(summary)
