"""`python -m infra.local`: the local AWS's command line."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from infra.local.bench.bench_session import bench_states
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.servers.local_spark import MISSING, is_installed
from infra.local.session.env_file import remove_env_file, write_env_file
from infra.local.session.leftovers import clear, reset, stop_leftovers
from infra.local.session.platform import running
from infra.stacks.config import SIZE_VARIABLE
from infra.stacks.sizes import Size

LOCAL = CHECKOUT / ".local"
STATES = tuple(LOCAL / command for command in ("up", "demo", "drill", "stream"))

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="The platform on one machine: the local AWS, a simulated fleet and Dagster.",
)
console = Console(highlight=False)

SizeOption = Annotated[
    Size | None, typer.Option(help="Of the platform, instead of what environments.toml says; a prototype is small.")
]
StateOption = Annotated[Path, typer.Option("--state", help="Folder for everything it writes.")]


@app.command()
def demo(
    state: StateOption = LOCAL / "demo",
    readings: Annotated[int | None, typer.Option(min=1000, help="Readings of the backlog.")] = None,
    live_rate: Annotated[int | None, typer.Option(min=100, help="Live readings a second.")] = None,
    live_pack: Annotated[int | None, typer.Option(min=1, help="Readings of a live message.")] = None,
    live_seconds: Annotated[int | None, typer.Option(min=1, help="How long to publish live.")] = None,
    size: SizeOption = None,
) -> None:
    """Start, deploy, onboard, publish, build, report, stop. Exit code 1 unless the ledger balances.

    How much is sent follows from the size, unless an option says otherwise.
    """
    asked = {
        "backlog_readings": readings,
        "live_rate": live_rate,
        "live_pack": live_pack,
        "live_seconds": live_seconds,
    }
    said = {name: value for name, value in asked.items() if value is not None}
    _choose(size)
    clear(state)
    with running(state, LOCAL, console) as platform:
        # Dagster's definitions are those of the size, which is in the environment from here on.
        from infra.local.demo import prototype
        from infra.local.demo.lake_steps import Scale
        from infra.local.demo.run import run_demo

        small = platform.size is Size.PROTOTYPE
        run, scale = (prototype.run_prototype, prototype.SCALE) if small else (run_demo, Scale())
        right = run(platform, replace(scale, **said), console)
    raise typer.Exit(0 if right else 1)


@app.command()
def drill(
    state: StateOption = LOCAL / "drill",
    readings: Annotated[int, typer.Option(min=1000, help="Readings that the platform holds.")] = 20_000,
) -> None:
    """Lose each store and restore it: how long it takes, what is lost. Exit code 1 unless the promises are kept."""
    from infra.local.drill.run import run_drill

    clear(state)
    with running(state, LOCAL, console) as platform:
        kept = run_drill(platform, readings, console)
    raise typer.Exit(0 if kept else 1)


@app.command()
def stream(
    state: StateOption = LOCAL / "stream",
    readings: Annotated[int, typer.Option(min=1000, help="Readings that the fleet sends.")] = 20_000,
) -> None:
    """Stream, then build, then reconcile the two (docs/streaming.md). Exit code 1 unless every reading is there once.

    Needs the extra `spark`.
    """
    from infra.local.micro_batches.walk_through import run_stream

    if not is_installed():
        raise LocalError(MISSING)
    clear(state)
    with running(state, LOCAL, console) as platform:
        right = run_stream(platform, readings, console)
    raise typer.Exit(0 if right else 1)


@app.command()
def up(
    state: StateOption = LOCAL / "up",
    devices: Annotated[int, typer.Option(min=0)] = 20,
    size: SizeOption = None,
) -> None:
    """Start everything and stay up: Dagster's UI, sensors and schedules, and a publishing fleet. Ctrl-C stops it."""
    from infra.local.session.up import stay_up

    _choose(size)
    with running(state, LOCAL, console) as platform:
        env_file = write_env_file(platform.environment, CHECKOUT / ".env", state / "env")
        if env_file != CHECKOUT / ".env":
            console.print(f"{CHECKOUT / '.env'} is your own and stays as it is", soft_wrap=True)
        stay_up(platform, devices, env_file, console)


@app.command()
def down() -> None:
    """Stop what `make up`, `make demo` or a benchmark started, also when they were killed."""
    for state in (*STATES, *bench_states()):
        stop_leftovers(state, console.print)
    console.print("nothing is running any more")


@app.command(name="reset")
def reset_command() -> None:
    """Stop everything and remove all local state: objects, tables, Dagster's history, devices."""
    for state in (*STATES, *bench_states()):
        reset(state, console.print)
    remove_env_file(CHECKOUT / ".env")


def _choose(size: Size | None) -> None:
    if size is not None:
        os.environ[SIZE_VARIABLE] = size


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # `make down` and CI end us with SIGTERM: what was started must be stopped just as after Ctrl-C.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(standalone_mode=True)
    except LocalError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)
