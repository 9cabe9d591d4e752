"""What is called under a role, by who takes it on."""

from collections.abc import Callable, Iterator, Mapping

from infra.prover.aws_calls import (
    console,
    container_tasks,
    dagster,
    dagster_code,
    delivery_builds,
    functions,
    glue_jobs,
    pipes,
)
from infra.prover.aws_calls.backends import backend_calls
from infra.prover.deployed import Environment, Resource
from infra.prover.granted import PASSING, Role, Use
from infra.prover.keys import key_calls
from infra.prover.needed import Need, UnprovedError
from infra.prover.product import process_calls, product_calls

Calls = Callable[[Environment, Resource], Iterator[Need]]
_OF_PROCESS = "TaskRoleArn"

_BY_TYPE: Mapping[str, Calls] = {
    "AWS::IoT::TopicRule": pipes.rule_calls,
    "AWS::IoT::ProvisioningTemplate": pipes.registering_calls,
    "AWS::Glue::Crawler": pipes.crawler_calls,
    "AWS::Glue::Job": glue_jobs.job_calls,
    "AWS::RedshiftServerless::Namespace": pipes.copy_calls,
    "AWS::EC2::FlowLog": pipes.flow_log_calls,
    "AWS::Config::ConfigurationRecorder": pipes.recorder_calls,
    "AWS::Scheduler::Schedule": pipes.schedule_calls,
    "AWS::CodeBuild::Project": delivery_builds.build_calls,
    "AWS::CodePipeline::Pipeline": delivery_builds.pipeline_calls,
    "AWS::Events::Rule": container_tasks.starting_calls,
}
# Who takes a role on and what of it is not proved, by type and property; `make prove` names these roles.
UNPROVED: Mapping[tuple[str, str], str] = {
    ("AWS::QuickSight::DataSource", "RoleArn"): "what QuickSight asks of Athena depends on who looks at what",
}
# Processes that a framework calls into: they load what Dagster is to run, or routes.
_LOADING: Mapping[str, Calls] = {
    "code": dagster_code.code_calls,
    "run": dagster_code.run_calls,
    "console": console.console_calls,
}


def needs(environment: Environment, role: Role) -> list[Need]:
    """All calls, those to keys included, each once for each reason.

    Raises UnprovedError for a role that is left out with a reason; ValueError if nobody takes the role on, or somebody
    of whom it is not written down what he calls.
    """
    for use in role.uses:
        alone = use.property != PASSING or all(other.property == PASSING for other in role.uses)
        if alone and (reason := UNPROVED.get((use.resource.type, use.property.rpartition(".")[2]))):
            raise UnprovedError(reason)
    if not role.uses and (sent := list(backend_calls(environment, role))):
        return sent
    if not role.uses:
        raise ValueError("no resource takes it on; remove the role, or tell infra/prover who does")
    direct = {made for use in role.uses for made in _calls(environment, use)}
    if all(use.property == PASSING for use in role.uses):
        # It is given to a task when that is started.
        direct = set(dagster_code.own_run_calls(environment, role))
    implied = {key for made in direct for key in key_calls(environment, made)}
    return sorted(direct | implied)


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
    process = _process(task)
    if process in _LOADING:
        yield from _LOADING[process](environment, task)
        return
    command = task.properties["ContainerDefinitions"][0]["Command"]
    yield from dagster.storage_calls(environment, task)
    if command[:2] == ["python", "-m"]:
        yield from process_calls(environment, command[2])
    if process == "webserver":
        yield from dagster.webserver_calls(environment, task)
    elif process == "daemon":
        yield from dagster.daemon_calls(environment, task)
    elif process != "watcher":
        raise ValueError(f"{task.name}: say in infra/prover/needs.py what the process {process} calls")
