"""Of roles that are not proved line by line: actions that are allowed and that nothing in their processes' code calls.

Weaker than the proof: it says nothing of what a call is on, and code that is reached by a name alone counts as called.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from infra.iam.one_or_many import listed
from infra.prover.actions import OF_TRANSACTIONS, actions_of
from infra.prover.granted import Role
from infra.prover.proof import Finding
from infra.prover.source.client_calls import client_calls, mentioned_calls, services_of
from infra.prover.source.code import module
from infra.prover.source.reach import Reach

# What registers a function with FastAPI, and with Dagster: for the code location, and for runs.
_ROUTES = ("router.get", "router.post", "router.put", "router.delete", "router.patch")
_TICKS = ("dg.sensor", "dg.schedule", "hourly_sweep")
_STEPS = ("dg.op", "dg.job", "dg.asset", "dg.multi_asset", "dg.asset_check", "dbt_assets")
# What Athena calls in the name of whoever has it run a statement (Athena guide, "Control access to Amazon S3 from
# Athena" and "Configure access to databases and tables in the AWS Glue Data Catalog").
_OF_ATHENA = (
    *("glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartition", "glue:GetPartitions"),
    *("glue:BatchGetPartition", "glue:BatchCreatePartition", "glue:CreateTable", "glue:DeleteTable"),
    *("glue:UpdatePartition", "glue:UpdateTable"),
    *("s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads"),
    *("s3:ListMultipartUploadParts", "s3:AbortMultipartUpload", "s3:PutObject"),
)
# pyathena, which has no client in our code, and Dagster's own: its storage and what runs print.
_OF_DAGSTER = ("rds-db:connect", "s3:PutObject", "s3:AbortMultipartUpload")
_STATEMENTS = ("StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution")
_OF_PYATHENA = (*(f"athena:{name}" for name in _STATEMENTS), *_OF_ATHENA)


@dataclass(frozen=True)
class Code:
    """Where a process begins, which functions its framework calls, and what is called beside our code."""

    module: str
    decorators: tuple[str, ...]
    beside: tuple[str, ...]
    function: str = ""


# By the role's stack part and name.
PROCESSES: Mapping[str, Code] = {
    "Console/Role": Code("iot_pipeline.console.__main__", _ROUTES, _OF_PYATHENA, "main"),
    "Orchestration/CodeRole": Code("iot_pipeline.definitions", _TICKS, (*_OF_PYATHENA, *_OF_DAGSTER)),
    **{
        f"Orchestration/{name}Role": Code("iot_pipeline.definitions", _STEPS, (*_OF_PYATHENA, *_OF_DAGSTER))
        for name in ("Run", "Removal", "Replay")
    },
}


def uncalled(role: Role) -> Iterator[Finding]:
    """The actions that an unproved role is allowed and nothing calls; of a role without code of ours none is told."""
    code = next((made for name, made in PROCESSES.items() if _is(role, name)), None)
    if code is None:
        return
    called = {*called_actions(code), *code.beside}
    for number, statement in enumerate(role.statements):
        for action in listed(statement["Action"]):
            # Of keys it is known what a call asks of them, not which of them is called.
            if statement["Effect"] == "Allow" and not action.startswith("kms:") and action not in called:
                yield Finding(role.name, f"{role.title(number)} allows {action}, which nothing in {code.module} calls")


@cache
def called_actions(code: Code) -> Collection[str]:
    """The actions of all calls that the code can reach or names. Raises ValueError if there is no such module."""
    start = module(code.module)
    if start is None:
        raise ValueError(f"there is no module {code.module}")
    reach = Reach()
    if code.function:
        reach.enter(start, code.function)
    pieces = list(reach.enter_registered(start, code.decorators).pieces)
    services = services_of(pieces)
    found: set[str] = set()
    for call in {*client_calls(pieces, services), *mentioned_calls(pieces, services)}:
        if call.operation == "TransactWriteItems":
            found |= set(OF_TRANSACTIONS.values()) - {OF_TRANSACTIONS["ConditionCheck"]}
        else:
            found |= set(actions_of(call.service, call.operation))
            # Of an object's or a queue's version (S3 API reference, "Permissions" of each).
            found |= {f"{action}Version" for action in actions_of(call.service, call.operation) if "Object" in action}
    return frozenset(found)


def _is(role: Role, name: str) -> bool:
    """Whether a role is a part's by its construct's name: behind that are eight digits of CloudFormation's."""
    stack, _, logical_id = role.name.partition("/")
    part, _, construct = name.partition("/")
    return stack.endswith(part) and logical_id[:-8] == construct
