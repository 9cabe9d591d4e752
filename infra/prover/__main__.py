"""`python -m infra.prover`: whether every role may do what is called under it, and nothing else."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from infra.local.deploy.stacks import DeployError
from infra.local.servers.checkout import CHECKOUT
from infra.prover.proving import Proved, prove, synthesised
from infra.prover.recorded import write_recorded
from infra.prover.table import page
from infra.stacks.config import DEFAULT_NAME
from infra.stacks.environments import environment, environments

LOCAL = CHECKOUT / ".local"
PAGE = CHECKOUT / "docs" / "permissions.md"

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False, help=__doc__)
console = Console(highlight=False, soft_wrap=True)


@app.command(name="prove")
def prove_command() -> None:
    """Print the verdict over all environments; exit code 1 unless nothing is missing and nothing too much."""
    wrong = False
    for name in environments():
        each = prove(synthesised(LOCAL, name))
        wrong |= bool(each.findings)
        statements = sum(len(role.statements) for role in each.roles)
        calls = sum(len(needs) for needs in each.roles.values())
        config = each.environment.config
        console.print(
            f"{config.name} ({config.size.value}): {len(each.roles)} roles, {statements} statements, {calls} calls, "
            f"{len(each.findings)} findings, {len(each.unproved)} roles not proved"
        )
        for role, why in each.unproved.items():
            console.print(f"  {role} is not proved: {why}", markup=False)
        for finding in each.findings:
            console.print(f"  {finding}", markup=False)
    sys.exit(1 if wrong else 0)


@app.command()
def table() -> None:
    """Write docs/permissions.md."""
    PAGE.write_text(page(of_each_size()))


@app.command()
def record(folder: Annotated[Path, typer.Argument(help="Where a run with RECORDED_CALLS has written.")]) -> None:
    """Write the record of calls from what a run has told."""
    lines = write_recorded(folder, synthesised(LOCAL, DEFAULT_NAME))
    console.print(f"{lines} calls on what they are on")


def of_each_size() -> list[Proved]:
    """The proof of one environment a size; not of the default one, whose name stands for much else."""
    names = {environment(name).size: name for name in environments() if name != DEFAULT_NAME}
    return [prove(synthesised(LOCAL, name)) for name in names.values()]


def main() -> None:
    """Run the command; exit code 2 and the reason if it could not be done."""
    try:
        app()
    except (ValueError, DeployError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
