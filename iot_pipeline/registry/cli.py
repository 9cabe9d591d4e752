"""The command line of the registry."""

from collections import Counter
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg import Connection
from rich.table import Table

from iot_pipeline.registry import bulk, catalog_file, devices, migrate, things
from iot_pipeline.registry import decommission as ending
from iot_pipeline.registry.adoption import adopt
from iot_pipeline.registry.cli_support import (
    conclude,
    connect,
    device_kind,
    dsn,
    err,
    explained,
    iot_client,
    out,
    progress,
)
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.intents import find
from iot_pipeline.registry.onboarding import Onboarded
from iot_pipeline.registry.onboarding import onboard as onboard_device
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.sites import apply as apply_catalog
from iot_pipeline.registry.things import Certificate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""The device registry: who owns which device, where it stands and stood, and how it gets into AWS IoT Core.

The database is that of IOT_REGISTRY_HOST, _PORT, _DATABASE, _USER, _PASSWORD and _SSLMODE; AWS credentials and region
come from the ordinary environment.

A first round:

`python -m iot_pipeline.registry migrate`

`python -m iot_pipeline.registry apply catalog.yaml`

`python -m iot_pipeline.registry onboard-all devices.csv --out credentials`

`python -m iot_pipeline.registry move sensor-1 --site bern`

`python -m iot_pipeline.registry history sensor-1`
""",
)
# A table is wrapped by the terminal, not cut to its width: it is to be read by other programs too.
_WIDE = 200
DeviceArgument = Annotated[str, typer.Argument(help="Device id: the thing's name and the MQTT client id.")]
AtOption = Annotated[
    str | None,
    typer.Option("--at", help="When it happened, ISO 8601 with a zone, not the future.  [default: now]"),
]
OutOption = Annotated[
    Path, typer.Option("--out", help="Folder for DEVICE.crt and, where it brought no CSR, DEVICE.key (mode 0600).")
]


@app.command("migrate")
def migrate_schema() -> None:
    """Create the registry's schema or bring it up to date; safe to repeat."""
    with explained():
        migrate.upgrade(dsn())
        out.print(f"the registry is at revision {migrate.current(dsn())}")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The catalog file.")],
    at: AtOption = None,
) -> None:
    """Create or change tenants, customers, sites and device models from a YAML or JSON file; safe to repeat.

    Nothing is removed. A site that differs gets a new version; its readings before `--at` keep the old one.

        tenants: [{tenant_id: acme, name: Acme Ltd, plan: standard}]

        customers: [{customer_id: c1, tenant_id: acme, name: A customer}]

        sites: [{tenant_id: acme, site_id: bern, name: Bern, country: CH, timezone: Europe/Zurich, lat: 46.9, lon: 7.4,
        customer_id: c1, since: 2026-01-01T00:00:00Z}]

        models: [{model_id: th1, manufacturer: Sensors Ltd, name: TH 1, metrics: [temperature, battery],
        expected_interval_s: 60}]
    """
    with explained(), connect() as connection:
        changed = apply_catalog(connection, catalog_file.read_catalog(file), _time(at))
    out.print("new or changed: " + ", ".join(f"{count} {kind}" for kind, count in changed.items()))


@app.command()
def onboard(
    device_id: DeviceArgument,
    tenant: Annotated[str, typer.Option(help="Tenant, from the catalog.")],
    site: Annotated[str, typer.Option(help="Site of that tenant, from the catalog.")],
    model: Annotated[str, typer.Option(help="Device model, from the catalog.")],
    folder: OutOption,
    name: Annotated[str | None, typer.Option(help="A name for people.  [default: the device id]")] = None,
    firmware: Annotated[str | None, typer.Option(help="Firmware version.")] = None,
    csr: Annotated[Path | None, typer.Option(help="PEM signing request; the key then never leaves the device.")] = None,
    installed_at: Annotated[
        str | None, typer.Option(help="When it was installed, ISO 8601 with a zone.  [default: now]")
    ] = None,
) -> None:
    """Let one device in: thing, certificate, policy and registry row, or none of them. Safe to repeat."""
    with explained(), connect() as connection:
        pem = csr.read_text(encoding="ascii") if csr else None
        request = Request(device_id, tenant, site, model, name, firmware, pem, _time(installed_at))
        onboarded = onboard_device(
            connection, iot_client(), request, partial(bulk.save, folder, device_id), device_kind()
        )
    done = f"created; its credentials are in {folder}" if onboarded.created else "kept: it was onboarded so already"
    out.print(f"{device_id} {done}", soft_wrap=True)


@app.command("onboard-all")
def onboard_all(
    file: Annotated[Path, typer.Argument(help="CSV: device_id,tenant,site,model[,name,firmware,csr,installed_at]")],
    folder: OutOption,
    workers: Annotated[int, typer.Option(min=1, max=50, help="Devices at a time.")] = 8,
    adopting: Annotated[
        bool, typer.Option("--adopt", help="They are things with a certificate already (provisioned by claim).")
    ] = False,
) -> None:
    """Let many devices in, each as `onboard` does. Run it again after an interruption: it does what is missing.

    `csr` is the path of a PEM file relative to the CSV file. What became of each device is written to
    OUT/outcomes.csv. The exit code is 1 if any failed.
    """
    with explained():
        requests = bulk.read_devices(file)
        iot = iot_client(workers)
        kind = device_kind()
        things.require_platform(iot, kind)

        def one(connection: Connection[Any], request: Request) -> Onboarded:
            if adopting:
                return adopt(connection, iot, request, kind)

            def deliver(certificate: Certificate) -> None:
                bulk.save(folder, request.device_id, certificate)

            return onboard_device(connection, iot, request, deliver, kind)

        counts: Counter[str] = Counter()
        with progress() as bar:
            task = bar.add_task("devices", total=len(requests), note="")

            def show(outcome: bulk.Outcome) -> None:
                counts[outcome.result] += 1
                note = f"{counts['created']} created, {counts['kept']} kept, {counts['failed']} failed"
                bar.update(task, advance=1, note=note)

            outcomes = bulk.onboard_all(connect, requests, one, show, workers)
        conclude(outcomes, folder)


@app.command()
def move(
    device_id: DeviceArgument,
    site: Annotated[str, typer.Option(help="The site it stands at now, of the same tenant.")],
    at: AtOption = None,
) -> None:
    """Record that a device stands elsewhere since a moment; readings from then on belong to the new site.

    `move sensor-1 --site bern --at 2026-11-20T12:00:00Z` corrects the past: what was recorded for later stays.
    """
    with explained(), connect() as connection:
        version = devices.move_device(connection, device_id, site, _time(at))
        iot, now = iot_client(), devices.history(connection, device_id)[-1]
        if things.find(iot, device_id) == "device":
            things.label_site(iot, device_id, now.site_id)
    out.print(f"{device_id} is at site {site} since {version.valid_from.isoformat()}", soft_wrap=True)


@app.command()
def change(
    device_id: DeviceArgument,
    name: Annotated[str | None, typer.Option(help="Its new name for people.")] = None,
    firmware: Annotated[str | None, typer.Option(help="The firmware version it runs.")] = None,
    model: Annotated[str | None, typer.Option(help="Its device model, from the catalog.")] = None,
    interval: Annotated[
        float | None,
        typer.Option(help="Seconds between its readings; health is judged by it.  [default: as the model says]"),
    ] = None,
    at: AtOption = None,
) -> None:
    """Record that a device has other attributes since a moment; what is not given stays as it is."""
    with explained(), connect() as connection:
        if name is None and firmware is None and model is None and interval is None:
            raise RegistryError("nothing to change: give --name, --firmware, --model or --interval")
        version = devices.change_device(
            connection,
            device_id,
            at=_time(at),
            name=name,
            firmware=firmware,
            model_id=model,
            expected_interval_s=interval,
        )
    out.print(f"{device_id} has a version since {version.valid_from.isoformat()}", soft_wrap=True)


@app.command()
def calibrate(
    device_id: DeviceArgument,
    metric: Annotated[str, typer.Argument(help="The metric that was calibrated, of the contract.")],
    offset: Annotated[float, typer.Option(help="In the metric's unit.")],
    by: Annotated[str, typer.Option(help="Who calibrated it.")],
    gain: Annotated[float, typer.Option(help="Not zero.")] = 1.0,
    at: AtOption = None,
) -> None:
    """Record a calibration: calibrated value = sent value * gain + offset. Readings stay as they were sent."""
    with explained(), connect() as connection:
        devices.record_calibration(
            connection, device_id, metric, offset=offset, gain=gain, calibrated_by=by, calibrated_at=_time(at)
        )
    out.print(f"{device_id}: calibration of {metric} recorded", soft_wrap=True)


@app.command()
def decommission(device_id: DeviceArgument, at: AtOption = None) -> None:
    """End a device: its certificates are revoked, its thing keeps its name alone, its history stays."""
    with explained(), connect() as connection:
        version = ending.decommission(connection, iot_client(), device_id, _time(at))
    out.print(f"{device_id} is decommissioned since {version.valid_from.isoformat()}", soft_wrap=True)


@app.command()
def show(device_id: DeviceArgument) -> None:
    """A device as it is now, and its certificate."""
    with explained(), connect() as connection:
        device = devices.history(connection, device_id)[-1]
        held = find(connection, device_id)
    table = Table(show_header=False, box=None)
    for name, value in vars(device).items():
        table.add_row(name, _text(value))
    table.add_row("onboarding", held.state if held else "none")
    table.add_row("certificate_id", _text(held and held.certificate_id))
    out.print(table, width=_WIDE, crop=False)


@app.command()
def history(device_id: DeviceArgument) -> None:
    """All versions of a device, oldest first."""
    with explained(), connect() as connection:
        versions = devices.history(connection, device_id)
    columns = ("valid_from", "valid_to", "site_id", "model_id", "name", "status", "firmware")
    table = Table(*columns, box=None)
    for version in versions:
        table.add_row(*(_text(getattr(version, column)) for column in columns))
    out.print(table, width=_WIDE, crop=False)


@app.command()
def recover() -> None:
    """Undo interrupted onboardings and finish interrupted decommissionings; the exit code is 1 if one failed."""
    with explained(), connect() as connection:
        recovered = ending.recover(connection, iot_client())
    for it in recovered:
        out.print(f"{it.device_id}: {it.outcome} {it.reason}", soft_wrap=True)
    out.print(f"{len(recovered)} interrupted operations")
    if any(it.outcome == "failed" for it in recovered):
        err.print("recover again when AWS IoT answers", soft_wrap=True)
        raise typer.Exit(1)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else str(value)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
