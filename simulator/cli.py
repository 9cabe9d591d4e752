"""The command line of the simulator."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

from iot_pipeline.contract import CONTRACT, TOPIC_ROOT
from simulator.cli_support import endpoint, err, explained, out, publish
from simulator.durations import epoch_ms, seconds
from simulator.enrolment import CATALOG_FILE, LIST_FILE
from simulator.enrolment import enrol as write_enrolment
from simulator.faults import FAULTS, choose_faults
from simulator.fleet import Fleet, load_fleet, make_fleet
from simulator.manifest_writer import Manifest
from simulator.options import (
    CaOption,
    DrainOption,
    EndpointOption,
    FleetFolder,
    InflightOption,
    OutOption,
    PackOption,
    TopicRootOption,
)
from simulator.outbox import Outbox
from simulator.plan import MAX_AGE_DAYS, Plan, history_plan, live_plan
from simulator.publisher import now_ms
from simulator.replay.commands import preview, replay
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
DevicesOption = Annotated[int, typer.Option(min=1, help="How many; raise it later to add devices.")]
TenantsOption = Annotated[int, typer.Option(min=1, help="Tenants; devices are spread evenly.")]
SitesOption = Annotated[int, typer.Option(min=1, help="Sites of each tenant.")]
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed and options make the same fleet.")]


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


app.command()(preview)
app.command()(replay)


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
