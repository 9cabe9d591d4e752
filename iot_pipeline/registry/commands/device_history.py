"""What is recorded of a device over time: where it stands, what it is, how it was calibrated."""

from datetime import datetime
from typing import Annotated

import typer

from iot_pipeline.command_line import out, table_of
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.registry import devices, things
from iot_pipeline.registry.commands.app import AtOption, DeviceArgument, OverwriteOption, app, moment
from iot_pipeline.registry.commands.support import confirmed, explained, iot_client
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.intents import find


@app.command()
def move(
    device_id: DeviceArgument,
    site: Annotated[str, typer.Option(help="The site it stands at now, of the same tenant.")],
    at: AtOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Record that a device stands elsewhere since a moment; readings from then on belong to the new site.

    `move sensor-1 --site bern --at 2026-11-20T12:00:00Z` corrects the past: what was recorded for later stays. A move
    to the site it is recorded to have moved to later, or at the very moment of a recorded move, overwrites that one:
    this is said and asked first, and refused where nobody can be asked, unless `--overwrite` is given.
    """
    with explained(), open_registry() as connection:
        when = moment(at)
        version = confirmed(
            overwrite, lambda may_overwrite: devices.move_device(connection, device_id, site, when, may_overwrite)
        )
        iot, now = iot_client(), devices.history(connection, device_id)[-1]
        if things.find(iot, device_id) == "device":
            things.label_site(iot, device_id, now.site_id)
    until = (
        "" if version.valid_to is None else f" until {version.valid_to.isoformat()}, when another change is recorded"
    )
    out.print(f"{device_id} is at site {site} since {version.valid_from.isoformat()}{until}", soft_wrap=True)


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
    overwrite: OverwriteOption = False,
) -> None:
    """Record that a device has other attributes since a moment; what is not given stays as it is.

    Asks before it overwrites a change on record, as `move` does.
    """
    with explained(), open_registry() as connection:
        if name is None and firmware is None and model is None and interval is None:
            raise RegistryError("nothing to change: give --name, --firmware, --model or --interval")
        when = moment(at)
        version = confirmed(
            overwrite,
            lambda may_overwrite: devices.change_device(
                connection,
                device_id,
                at=when,
                name=name,
                firmware=firmware,
                model_id=model,
                expected_interval_s=interval,
                may_overwrite=may_overwrite,
            ),
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
    with explained(), open_registry() as connection:
        devices.record_calibration(
            connection, device_id, metric, offset=offset, gain=gain, calibrated_by=by, calibrated_at=moment(at)
        )
    out.print(f"{device_id}: calibration of {metric} recorded", soft_wrap=True)


@app.command()
def show(device_id: DeviceArgument) -> None:
    """A device as it is now, and its certificate."""
    with explained(), open_registry() as connection:
        device = devices.history(connection, device_id)[-1]
        held = find(connection, device_id)
    table = table_of("", "", show_header=False)
    for name, value in vars(device).items():
        table.add_row(name, _text(value))
    table.add_row("onboarding", held.state if held else "none")
    table.add_row("certificate_id", _text(held and held.certificate_id))
    out.print(table)


@app.command()
def history(device_id: DeviceArgument) -> None:
    """All versions of a device, oldest first."""
    with explained(), open_registry() as connection:
        versions = devices.history(connection, device_id)
    columns = ("valid_from", "valid_to", "site_id", "model_id", "name", "status", "firmware")
    table = table_of(*columns)
    for version in versions:
        table.add_row(*(_text(getattr(version, column)) for column in columns))
    out.print(table)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else str(value)
