"""What the console's process calls: its routes, and what they have Athena do."""

from collections.abc import Collection, Iterator
from functools import cache

from infra.prover.aws_calls.athena_calls import statement_calls
from infra.prover.aws_calls.dagster import variables
from infra.prover.aws_calls.dagster_code import secrets_of
from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need
from infra.prover.product import piece_calls
from infra.prover.source.code import Piece, module
from infra.prover.source.reach import Reach

PROCESS = "iot_pipeline.console.__main__"
# What registers a function with FastAPI.
_ROUTES = ("router.get", "router.post", "router.put", "router.delete", "router.patch")
_GROUPS = ("IOT_PEOPLE_WORKGROUP", "IOT_TENANTS_WORKGROUP")
# Found by a method's name alone, and not run here: `save` is of saved queries, `remove` of sessions, `note` of alerts.
_NOT_REACHED: Collection[str] = (
    "iot_pipeline.alerting.together:write_together",
    "iot_pipeline.edge.dead_letters:DeadLetters.remove",
    "iot_pipeline.edge.state_store:StateStore._record",
    "iot_pipeline.edge.state_store:StateStore.save",
    "iot_pipeline.lake.catalog:Catalog.remove",
    "iot_pipeline.lake.removals:Removals._put",
)


def console_calls(environment: Environment, task: Resource) -> Iterator[Need]:
    """The calls of the console's code, and of the statements that people and tenants run in their workgroups."""
    told = variables(task)
    yield from piece_calls(environment, (PROCESS,), _reached(), secrets_of(environment, told), _NOT_REACHED)
    for group in environment.of_type("AWS::Athena::WorkGroup"):
        if group.properties["Name"] in (told[name] for name in _GROUPS):
            yield from statement_calls(environment, group)


@cache
def _reached() -> tuple[Piece, ...]:
    start = module(PROCESS)
    if start is None:
        raise ValueError(f"there is no module {PROCESS}")
    return tuple(Reach().enter(start, "main").enter_registered(start, _ROUTES).pieces)
