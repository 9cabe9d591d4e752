"""`python -m infra.cost`: what the platform costs a month. `count` and `picture` write what `make docs` keeps."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from infra.cost.bills import bill
from infra.cost.choices import alternatives
from infra.cost.cost_page import PAGE, PICTURE, replaced
from infra.cost.counted import FILE, written
from infra.cost.design import of_size
from infra.cost.fleet import Fleet
from infra.cost.fleet_picture import curves, picture
from infra.cost.printed import as_json, print_bill
from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment, environments
from infra.stacks.sizes import Size

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def print_month(
    context: typer.Context,
    devices: Annotated[int, typer.Option(help="Devices.")] = 10_000,
    interval: Annotated[float, typer.Option(help="Seconds from a device's reading to its next.")] = 60,
    pack: Annotated[int, typer.Option(help="Readings a message.")] = 25,
    size: Annotated[str, typer.Option(help=f"One of {', '.join(Size)}, as an environment begins with.")] = Size.TEAM,
    named: Annotated[str, typer.Option("--environment", help="An environment of environments.toml instead.")] = "",
    json_wanted: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the monthly bill of a fleet, by service, with its alternatives."""
    if context.invoked_subcommand:
        return
    try:
        config = _of_environment(named) if named else _of_size(size)
        of = bill(config, Fleet(devices, interval, pack))
    except ValueError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    others = list(alternatives(of))
    if json_wanted:
        print(json.dumps(as_json(of, others), indent=2))
    else:
        print_bill(of, others, Console(highlight=False))


@app.command()
def count() -> None:
    """Synthesise every size and write what its templates hold to counted.toml."""
    from infra.cost.counting import synthesised

    counts = {}
    for size in Size:
        with tempfile.TemporaryDirectory(prefix="infra-cost-") as folder:
            counts[size] = synthesised(of_size(size), Path(folder) / "assembly")
    FILE.write_text(written(counts), encoding="utf-8")


@app.command(name="picture")
def draw() -> None:
    """Draw the cost by fleet size into docs/images."""
    PICTURE.write_text(picture(curves()), encoding="utf-8")


@app.command()
def page() -> None:
    """Write the tables of docs/cost.md anew."""
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _of_environment(name: str) -> PlatformConfig:
    if name not in (known := environments()):
        raise ValueError(f"environment = {name!r}: expected one that environments.toml has: {', '.join(known)}")
    return environment(name)


def _of_size(name: str) -> PlatformConfig:
    try:
        return of_size(Size(name))
    except ValueError as error:
        raise ValueError(f"size = {name!r}: expected one of {', '.join(Size)}") from error


if __name__ == "__main__":
    app()
