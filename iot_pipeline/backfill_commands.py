"""The command line of backfills."""

import os
import socket
import warnings
from datetime import UTC, datetime
from typing import Annotated

import dagster as dg
import pyathena
import typer
from botocore.exceptions import BotoCoreError, ClientError
from redshift_connector.error import Error as RedshiftError

from iot_pipeline.backfill.plan import BUDGET, MEANINGS, Plan, Zone
from iot_pipeline.command_line import explained, out, table_of
from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.lake.hours import Hour
from iot_pipeline.processes import is_alive

# What a person can act on.
_ACTED_ON = (ValueError, OSError, ClientError, BotoCoreError, pyathena.Error, RedshiftError)
_PLAN_TAG, _PROCESS_TAG = "iot_pipeline/plan", "iot_pipeline/process"
_BEGUN = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""Backfills: what of a range of hours is to be built again, why, and what that costs; and doing it.

`python -m iot_pipeline.backfill plan 2026-11-01 2026-11-27T23` shows a plan and keeps it under an id.

`python -m iot_pipeline.backfill run ID` carries it out, here; so does the job `backfill` in Dagster's UI. What was
interrupted is run again under the same id: what is done stays done.
""",
)


@app.command()
def plan(
    first: Annotated[str, typer.Argument(help="The first hour, UTC: 2026-11-01 or 2026-11-01T05.")],
    last: Annotated[str, typer.Argument(help="The last hour, included.")],
    zone: Annotated[list[Zone] | None, typer.Option(help="One zone alone; may be given several times.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Build what is current too.")] = False,
) -> None:
    """What is to be built: by zone and reason, with bytes, dollars and minutes. Nothing is built."""
    with explained(*_ACTED_ON):
        made = open_planner().make(_hour(first), _hour(last), zone or list(Zone), force=force)
    show(made)


def show(made: Plan) -> None:
    """Print a plan."""
    table = table_of("zone", "why", "hours", "which", "bytes", "USD")
    for row in made.rows():
        table.add_row(*row)
    if not made.steps:
        out.print(f"nothing is to be built from {made.first} to {made.last}")
        return
    out.print(table)
    for why in sorted({step.why for step in made.steps}):
        out.print(f"  {why.value}: {MEANINGS[why]}")
    out.print(
        f"plan [bold]{made.id}[/]: {len(made.steps)} hours of zones, about {made.dollars:.4f} USD and "
        f"{made.minutes:.1f} minutes, both estimates. `python -m iot_pipeline.backfill run {made.id}` carries it out.",
        soft_wrap=True,
    )


@app.command()
def run(
    plan_id: Annotated[str, typer.Argument(help="The id that `plan` printed.")],
    budget: Annotated[float, typer.Option(help="Refuse a plan that may cost more US dollars.")] = BUDGET,
) -> None:
    """Carry out a plan, in this process; the run is in Dagster's history, where DAGSTER_HOME says that is."""
    with explained(*_ACTED_ON):
        if "DAGSTER_HOME" not in os.environ:
            raise ValueError("DAGSTER_HOME is not set: set -a; . ./.env")
        found = open_planner().read(plan_id)
        found.check_budget(budget)
    show(found)
    job = _job()
    config = {
        "ops": {"read_plan": {"config": {"plan_id": plan_id, "budget_usd": budget}}},
        "loggers": {"console": {"config": {"log_level": "INFO"}}},
    }
    with dg.DagsterInstance.get() as instance:
        with explained(*_ACTED_ON):
            end_dead_runs(instance, plan_id)
        tags = {_PLAN_TAG: plan_id, _PROCESS_TAG: f"{socket.gethostname()} {os.getpid()}"}
        result = job.execute_in_process(run_config=config, instance=instance, tags=tags, raise_on_error=False)
    if not result.success:
        out.print(f"[bold red]run {result.run_id} failed[/]; run the same plan again once its cause is mended")
        raise typer.Exit(1)
    out.print(f"plan {plan_id} is carried out, by run {result.run_id}", soft_wrap=True)


def end_dead_runs(instance: dg.DagsterInstance, plan_id: str) -> None:
    """Mark the runs that this command began here, and whose processes were killed, as failed.

    They would keep their places in the zones' pools, and a run after them wait for ever. Raises ValueError if a process
    is still at work on the plan, or began it on another host, where this one cannot see it.
    """
    for run in instance.get_runs(dg.RunsFilter(job_name="backfill", statuses=list(_BEGUN))):
        host, _, pid = run.tags.get(_PROCESS_TAG, "").partition(" ")
        if not pid:
            continue
        is_here = host == socket.gethostname()
        if is_here and not is_alive(int(pid)):
            instance.report_run_failed(
                run, "The process of this run is gone, without a word: killed, or out of memory."
            )
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        elif run.tags[_PLAN_TAG] == plan_id:
            raise ValueError(
                f"plan {plan_id} is being carried out by process {pid} on {host}, run {run.run_id}: wait for it, or "
                "end it; if that host is gone, mark the run as failed in Dagster's UI"
            )


def _job() -> dg.JobDefinition:
    """The job that carries out plans. All definitions are loaded for it; Dagster warns of those that it previews."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from iot_pipeline.definitions import defs  # `plan` does without their seconds

        return defs.resolve_job_def("backfill")


def _hour(text: str) -> Hour:
    """Raises ValueError for what is no hour of UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no hour; expected 2026-11-01 or 2026-11-01T05, UTC") from None
    return Hour((moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC))
