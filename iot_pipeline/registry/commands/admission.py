"""Letting devices in and out: thing, certificate, policy and registry row together."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg import Connection

from iot_pipeline.command_line import err, out
from iot_pipeline.connections.registry import connect, open_registry
from iot_pipeline.registry import bulk, things
from iot_pipeline.registry import decommission as ending
from iot_pipeline.registry.adoption import adopt
from iot_pipeline.registry.commands.app import AtOption, DeviceArgument, OutOption, OverwriteOption, app, moment
from iot_pipeline.registry.commands.support import (
    conclude,
    confirmed,
    device_kind,
    explained,
    iot_client,
    progress,
)
from iot_pipeline.registry.onboarding import Onboarded
from iot_pipeline.registry.onboarding import onboard as onboard_device
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.things import Certificate


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
    with explained(), open_registry() as connection:
        pem = csr.read_text(encoding="ascii") if csr else None
        request = Request(device_id, tenant, site, model, name, firmware, pem, moment(installed_at))
        deliver = partial(bulk.save, folder, device_id)
        onboarded = onboard_device(connection, iot_client(), request, deliver, device_kind())
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
def decommission(device_id: DeviceArgument, at: AtOption = None, overwrite: OverwriteOption = False) -> None:
    """End a device: its certificates are revoked, its thing keeps its name alone, its history stays.

    Asks before it overwrites a recorded end by an earlier one, as `move` does.
    """
    with explained(), open_registry() as connection:
        when = moment(at)
        version = confirmed(
            overwrite,
            lambda may_overwrite: ending.decommission(connection, iot_client(), device_id, when, may_overwrite),
        )
    out.print(f"{device_id} is decommissioned since {version.valid_from.isoformat()}", soft_wrap=True)


@app.command()
def recover() -> None:
    """Undo interrupted onboardings and finish interrupted decommissionings; the exit code is 1 if one failed."""
    with explained(), open_registry() as connection:
        recovered = ending.recover(connection, iot_client())
    for it in recovered:
        out.print(f"{it.device_id}: {it.outcome} {it.reason}", soft_wrap=True, markup=False)
    out.print(f"{len(recovered)} interrupted operations")
    if any(it.outcome == "failed" for it in recovered):
        err.print("recover again when AWS IoT answers", soft_wrap=True)
        raise typer.Exit(1)
