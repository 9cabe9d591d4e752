"""The application that the commands belong to, and the arguments that several of them take."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""The device registry: who owns which device, where it stands and stood, and how it gets into AWS IoT Core.

The database is that of IOT_REGISTRY_HOST and the other variables of that prefix (docs/operations.md); AWS credentials
and region come from the ordinary environment. The database's administrator has run `migrate` and `password` once.

A first round:

`python -m iot_pipeline.registry apply catalog.yaml`

`python -m iot_pipeline.registry onboard-all devices.csv --out credentials`

`python -m iot_pipeline.registry move sensor-1 --site bern`

`python -m iot_pipeline.registry history sensor-1`
""",
)
DeviceArgument = Annotated[str, typer.Argument(help="Device id: the thing's name and the MQTT client id.")]
AtOption = Annotated[
    str | None,
    typer.Option("--at", help="When it happened, ISO 8601 with a zone, not the future.  [default: now]"),
]
OverwriteOption = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Overwrite what is recorded where the change in the past does so.  [default: ask]"
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", help="Folder for DEVICE.crt and, where it brought no CSR, DEVICE.key (mode 0600).")
]


def moment(text: str | None) -> datetime | None:
    """The time that an option gives. Raises ValueError if it is not ISO 8601."""
    return datetime.fromisoformat(text) if text else None
