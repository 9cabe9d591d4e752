"""What the code that Dagster loads calls: sensors and schedules in the code location, steps in runs.

Which jobs have roles of their own, and the secret by which their runs sign in to the registry, is said by
infra/images/dagster.yaml.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from infra.prover.aws_calls import athena_calls
from infra.prover.aws_calls.dagster import printing_calls, storage_calls, variables
from infra.prover.deployed import Environment, Resource
from infra.prover.granted import Role
from infra.prover.needed import Need, need
from infra.prover.product import piece_calls, recorded_callers
from infra.prover.source.code import REPOSITORY, Module, Piece, module
from infra.prover.source.reach import Reach
from iot_pipeline.spark.order import PIPES

_PIPES = 'Dagster docs, "Using Dagster Pipes with AWS Glue": the context and the messages are objects'

DEFINITIONS = "iot_pipeline.definitions"
_SETTINGS = REPOSITORY / "infra" / "images" / "dagster.yaml"
# By what Dagster calls a function: at its ticks, or in runs. A job calls its steps (`dg.op`).
TICKS = ("dg.sensor", "dg.schedule", "hourly_sweep")
_ASSETS = ("dg.asset", "dg.multi_asset", "dg.asset_check", "dbt_assets")
_IN_RUNS = (*_ASSETS, "dg.job")
STEPS = (*_IN_RUNS, "dg.op")
_SIGN_IN = "iot_pipeline.connections.credentials:of_secret"


# Found by a method's name alone, and not run there: what is called is another class's method of that name.
_NOT_REACHED: Mapping[str, Collection[str]] = {
    # `note` is the trackers'.
    "code": ("iot_pipeline.lake.removals:Removals._put",),
    # `delete` is the event log's.
    "run": ("iot_pipeline.resources.raw_events:_delete",),
    # `remove` is a list's, `publish` the catalog's.
    "DAGSTER_REMOVAL_ROLE": (
        "iot_pipeline.edge.dead_letters:DeadLetters.remove",
        "iot_pipeline.resources.dbt:DbtDocs.publish",
    ),
    # `publish` is the client's of SNS.
    "DAGSTER_REPLAY_ROLE": ("iot_pipeline.resources.dbt:DbtDocs.publish",),
}


# Who is in the record of calls for each: the outermost module.
_RECORDED: Mapping[str, re.Pattern[str]] = {
    "code": re.compile(r"iot_pipeline\.defs\.\w+\.(sensors|schedules|budget)"),
    "run": re.compile(r"iot_pipeline\.defs\.\w+\.(assets|checks|jobs)"),
    "DAGSTER_REMOVAL_ROLE": re.compile(r"iot_pipeline\.erasure"),
    "DAGSTER_REPLAY_ROLE": re.compile(r"iot_pipeline\.edge\.(replay|handler)"),
}


@dataclass(frozen=True)
class OwnRuns:
    """Runs with a role of their own: their jobs, and the variables of the daemon that say which role and secret."""

    jobs: tuple[str, ...]
    role: str
    registry_secret: str


@cache
def own_runs() -> tuple[OwnRuns, ...]:
    """As dagster.yaml has them. Raises ValueError if it has no launcher of ours."""
    read: Any = yaml.safe_load(_SETTINGS.read_text(encoding="utf-8"))
    configured = read.get("run_launcher", {}).get("config", {}).get("own_roles")
    if not configured:
        raise ValueError(
            f"{_SETTINGS.name}: run_launcher has no own_roles; the prover reads from it which jobs have roles"
        )
    return tuple(
        OwnRuns(tuple(each["jobs"]), each["role"]["env"], each["registry_secret"]["env"]) for each in configured
    )


def code_calls(environment: Environment, task: Resource) -> Iterator[Need]:
    """What the code location calls: it evaluates sensors and schedules, and prints what they say."""
    yield from _calls(environment, task, _at_ticks(), variables(task), "code")


def run_calls(environment: Environment, task: Resource) -> Iterator[Need]:
    """What runs call that have the role of their task's definition: all but those with a role of their own."""
    yield from _calls(environment, task, _in_runs(), variables(task), "run")


def own_run_calls(environment: Environment, role: Role) -> Iterator[Need]:
    """What runs call that are started with a role of their own. Raises ValueError if none is."""
    for daemon in environment.of_type("AWS::ECS::TaskDefinition"):
        told = variables(daemon)
        for own in own_runs():
            if told.get(own.role) != role.arn:
                continue
            (task,) = (
                task
                for task in environment.of_type("AWS::ECS::TaskDefinition")
                if environment.arn(task) == told["DAGSTER_RUN_TASK_DEFINITION"]
            )
            given = {**variables(task), "IOT_REGISTRY_SECRET_ARN": told[own.registry_secret]}
            yield from _calls(environment, task, _in_own_runs(own), given, own.role)
            return
    raise ValueError("no run is started with it: neither a job of infra/images/dagster.yaml has it, nor a task")


def secrets_of(environment: Environment, told: Mapping[str, str]) -> list[Need]:
    """Reading the secrets that a process's variables name, by their names."""
    config = environment.config
    where = f"arn:aws:secretsmanager:{config.region}:{config.account}:secret:"
    named = {value for name, value in told.items() if name.startswith("IOT_") and name.endswith("_SECRET_ARN")}
    return [
        need("secretsmanager:GetSecretValue", f"{where}{name}-??????", _SIGN_IN)
        for name in sorted(named)
        if not name.startswith("arn:")
    ]


def functions_of(job: str) -> Collection[str]:
    """The functions with which a job's runs begin: the job's own, or the assets that it selects.

    Raises ValueError for a job that is defined nowhere.
    """
    for home in _modules():
        for piece in home.pieces:
            if piece.name == job and _is_job(piece):
                return (job,)
            for node in piece.walk() if not piece.name else ():
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "dg.define_asset_job" and _names(node, job):
                    (selected,) = (word.value for word in node.keywords if word.arg == "selection")
                    return tuple(each.id for each in ast.walk(selected) if isinstance(each, ast.Name))
    raise ValueError(f"{_SETTINGS.name} names the job {job}, which {DEFINITIONS} does not define")


def _names(node: ast.Call, job: str) -> bool:
    return bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == job


def _is_job(piece: Piece) -> bool:
    decorators = getattr(piece.nodes[0], "decorator_list", ())
    return any(ast.unparse(getattr(each, "func", each)) == "dg.job" for each in decorators)


def _modules() -> Iterator[Module]:
    for file in sorted((REPOSITORY / "iot_pipeline" / "defs").rglob("*.py")):
        found = module(".".join(file.relative_to(REPOSITORY).with_suffix("").parts))
        if found is not None:
            yield found


@cache
def _at_ticks() -> tuple[Piece, ...]:
    return _reached(TICKS, lambda _: True, checks=False)


@cache
def _in_runs() -> tuple[Piece, ...]:
    others = {function for own in own_runs() for function in _beginnings(own)}
    return _reached(_IN_RUNS, lambda piece: piece.name not in others, checks=True)


@cache
def _in_own_runs(own: OwnRuns) -> tuple[Piece, ...]:
    wanted = _beginnings(own)
    return _reached(_IN_RUNS, lambda piece: piece.name in wanted, checks=False)


def _beginnings(own: OwnRuns) -> set[str]:
    return {function for job in own.jobs for function in functions_of(job)}


def _reached(decorators: Collection[str], wanted: Callable[[Piece], bool], *, checks: bool) -> tuple[Piece, ...]:
    """What is reached of the definitions, with or without the checks that factories make, which runs evaluate."""
    start = module(DEFINITIONS)
    if start is None:
        raise ValueError(f"there is no module {DEFINITIONS}")
    every = (*TICKS, *STEPS)
    return tuple(Reach().enter_registered(start, decorators, every, wanted, made_at_import=checks).pieces)


def _calls(
    environment: Environment, task: Resource, pieces: tuple[Piece, ...], told: Mapping[str, str], process: str
) -> Iterator[Need]:
    callers = recorded_callers(_RECORDED[process])
    yield from storage_calls(environment, task)
    yield from printing_calls(task)
    yield from piece_calls(environment, callers, pieces, secrets_of(environment, told), _NOT_REACHED.get(process, ()))
    functions = {f"{piece.module}:{piece.qualified}" for piece in pieces}
    if "iot_pipeline.lake.athena:Athena.run" in functions:
        for group in environment.of_type("AWS::Athena::WorkGroup"):
            if group.properties["Name"] == told["IOT_ATHENA_WORKGROUP"]:
                yield from athena_calls.statement_calls(environment, group)
    if "iot_pipeline.lake.statements:_ctas" in functions:
        yield from athena_calls.building_calls(environment)
    if "iot_pipeline.lake.statements:telemetry_view" in functions:
        yield from athena_calls.view_calls(environment)
    if "iot_pipeline.streaming.statements:recent_view" in functions:
        yield from athena_calls.streamed_calls(environment)
    if "iot_pipeline.resources.spark_job:SparkJob.run_backfill" in functions:
        objects = f"arn:aws:s3:::{environment.config.lake_bucket}/{PIPES}*"
        for action in ("GetObject", "PutObject", "DeleteObject"):
            yield need(f"s3:{action}", objects, _PIPES)
