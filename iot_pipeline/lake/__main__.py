"""`python -m iot_pipeline.lake`: what is done to a deployed lake by hand."""

import typer

from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.lake.migrate import left_alone, take_over_ledger
from iot_pipeline.settings import policy

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="""The lake of this deployment, known by IOT_GLUE_DATABASE and the other variables of docs/operations.md.""",
)


@app.callback()
def lake() -> None:
    """Keep `migrate` a command of its own, though it is the only one."""


@app.command()
def migrate() -> None:
    """After an upgrade: take over the ledger from its former table `raw_profile`; safe to repeat.

    Run it once the stacks are deployed and before Dagster's sensors are turned on again. No object is moved and no hour
    is built anew. Loads and facts in the warehouse are taken over by the first load.
    """
    catalog, contract = open_catalog(), policy().contract
    taken = take_over_ledger(catalog, contract)
    for foreign in left_alone(catalog, contract):
        typer.echo(f"left alone: {foreign}", err=True)
    if taken:
        typer.echo(f"{len(taken)} arrival hours of the ledger taken over, {taken[0]} to {taken[-1]}")
    else:
        typer.echo("nothing to take over: every hour of raw_profile is in the ledger")


if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.lake")
