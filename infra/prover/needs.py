"""What is called under a role, by who takes it on."""

import re
from collections.abc import Callable, Iterator, Mapping

from infra.prover.aws_calls import container_tasks, dagster, functions, pipes
from infra.prover.deployed import Environment, Resource
from infra.prover.granted import PASSING, Role, Use
from infra.prover.keys import key_calls
from infra.prover.needed import Need
from infra.prover.product import process_calls, product_calls, recorded_calls

Calls = Callable[[Environment, Resource], Iterator[Need]]
_OF_PROCESS = "TaskRoleArn"

_BY_TYPE: Mapping[str, Calls] = {
    "AWS::IoT::TopicRule": pipes.rule_calls,
    "AWS::IoT::ProvisioningTemplate": pipes.registering_calls,
    "AWS::Glue::Crawler": pipes.crawler_calls,
    "AWS::RedshiftServerless::Namespace": pipes.copy_calls,
    "AWS::EC2::FlowLog": pipes.flow_log_calls,
    "AWS::Config::ConfigurationRecorder": pipes.recorder_calls,
    "AWS::Scheduler::Schedule": pipes.schedule_calls,
    "AWS::Events::Rule": container_tasks.starting_calls,
}
# Who takes a role on and what of it is not proved, by type and property; `make prove` names these roles.
UNPROVED: Mapping[tuple[str, str], str] = {
    ("AWS::Glue::Job", "Role"): "what Spark calls is not in the record yet, which is made without Spark",
    ("AWS::IAM::Policy", PASSING): "it is given to a task when that is started",
    ("AWS::QuickSight::DataSource", "RoleArn"): "what QuickSight asks of Athena depends on who looks at what",
    ("AWS::CodeBuild::Project", "ServiceRole"): "a build runs commands, whose calls are not derived yet",
    ("AWS::CodePipeline::Pipeline", "RoleArn"): "what a pipeline's actions call is not written down yet",
}
# So are these processes of tasks, by the names of their containers.
UNPROVED_PROCESSES: Mapping[str, str] = {
    "code": "which of Dagster's definitions are evaluated in the code location is not derived yet",
    "run": "which of Dagster's definitions are executed in which run is not derived yet",
    "console": "what its routes call is found, and what that is on is not recorded yet",
}


# Of these it is at least proved that they may do what was recorded of their code, by the role's name and the outermost
# module: the code location evaluates sensors, a run works on assets, a replay sends dead letters again.
_RECORDED: Mapping[str, re.Pattern[str]] = {
    "CodeRole": re.compile(r"iot_pipeline\.defs\.\w+\.sensors"),
    "RunRole": re.compile(r"iot_pipeline\.defs\.\w+\.assets"),
    "ReplayRole": re.compile(r"iot_pipeline\.edge\.replay"),
}


class UnprovedError(ValueError):
    """A role of which it is known that it is not proved, and why."""


def needs(environment: Environment, role: Role) -> list[Need]:
    """All calls, those to keys included, each once for each reason.

    Raises UnprovedError for a role that is left out with a reason; ValueError if nobody takes the role on, or somebody
    of whom it is not written down what he calls.
    """
    for use in role.uses:
        alone = use.property != PASSING or all(other.property == PASSING for other in role.uses)
        if alone and (reason := UNPROVED.get((use.resource.type, use.property.rpartition(".")[2]))):
            raise UnprovedError(reason)
        if use.property == _OF_PROCESS and (reason := UNPROVED_PROCESSES.get(_process(use.resource))):
            raise UnprovedError(reason)
    if not role.uses:
        raise ValueError("no resource takes it on; remove the role, or tell infra/prover who does")
    direct = {made for use in role.uses for made in _calls(environment, use)}
    implied = {key for made in direct for key in key_calls(environment, made)}
    return sorted(direct | implied)


def recorded_of(environment: Environment, role: Role) -> Iterator[Need]:
    """What was recorded of a role that is not proved otherwise, and what that asks of keys."""
    name = role.name.rpartition("/")[2]
    for kind, who in _RECORDED.items():
        if name.startswith(kind):
            for made in recorded_calls(environment, who):
                yield made
                yield from key_calls(environment, made)


def _calls(environment: Environment, use: Use) -> Iterator[Need]:
    kind = use.resource.type
    if use.property == PASSING:
        return
    if kind == "AWS::Lambda::Function":
        yield from functions.function_calls(environment, use.resource)
        yield from product_calls(environment, use.resource)
    elif kind == "AWS::KinesisFirehose::DeliveryStream":
        yield from pipes.delivery_calls(environment, use.resource, use.property)
    elif kind == "AWS::ECS::TaskDefinition" and use.property == _OF_PROCESS:
        yield from _process_calls(environment, use.resource)
    elif kind == "AWS::ECS::TaskDefinition":
        yield from container_tasks.execution_calls(environment, use.resource)
    elif kind in _BY_TYPE:
        yield from _BY_TYPE[kind](environment, use.resource)
    else:
        raise ValueError(
            f"{use.resource.name} ({kind}, {use.property}): say in infra/prover/aws_calls what it calls under its role"
        )


def _process(task: Resource) -> str:
    return str(task.properties["ContainerDefinitions"][0]["Name"])


def _process_calls(environment: Environment, task: Resource) -> Iterator[Need]:
    """What a task's own process calls: our code that its command names, and Dagster's beside it."""
    command, process = task.properties["ContainerDefinitions"][0]["Command"], _process(task)
    yield from dagster.storage_calls(environment, task)
    if command[:2] == ["python", "-m"]:
        yield from process_calls(environment, command[2])
    if process == "webserver":
        yield from dagster.webserver_calls(environment, task)
    elif process == "daemon":
        yield from dagster.daemon_calls(environment, task)
    elif process != "watcher":
        raise ValueError(f"{task.name}: say in infra/prover/needs.py what the process {process} calls")
