"""What ECS calls before a task's process begins, and what EventBridge calls to start one."""

from collections.abc import Iterator

from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, need

_EXECUTION = 'ECS guide, "Amazon ECS task execution IAM role"'
_SECRETS = 'ECS guide, "Pass sensitive data to an Amazon ECS container"'
_SCHEDULED = 'ECS guide, "Amazon ECS EventBridge IAM Role"'


def execution_calls(environment: Environment, task: Resource) -> Iterator[Need]:
    """Fetching the images, writing the logs, reading the secrets that become variables."""
    config = environment.config
    yield need("ecr:GetAuthorizationToken", "*", _EXECUTION)
    for container in task.properties["ContainerDefinitions"]:
        repository = container["Image"].partition("/")[2].partition("@")[0].partition(":")[0]
        arn = f"arn:aws:ecr:{config.region}:{config.account}:repository/{repository}"
        for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"):
            yield need(f"ecr:{action}", arn, _EXECUTION)
        group = container.get("LogConfiguration", {}).get("Options", {}).get("awslogs-group")
        if group:
            log = f"arn:aws:logs:{config.region}:{config.account}:log-group:{group}:*"
            for action in ("CreateLogStream", "PutLogEvents"):
                yield need(f"logs:{action}", log, _EXECUTION)
        for secret in container.get("Secrets", ()):
            # What follows the secret's ARN is a key of its JSON.
            arn = ":".join(secret["ValueFrom"].split(":")[:7])
            yield need("secretsmanager:GetSecretValue", arn, _SECRETS)


def starting_calls(environment: Environment, rule: Resource) -> Iterator[Need]:
    """What EventBridge calls for a rule's tasks. Raises ValueError for a target of another kind that has a role."""
    for target in rule.properties["Targets"]:
        if "RoleArn" not in target:
            continue
        if "EcsParameters" not in target:
            raise ValueError(f"{rule.name}: a target with a role that is no task; say in infra/prover what it calls")
        made = target["EcsParameters"]["TaskDefinitionArn"]
        yield need("ecs:RunTask", f"{made}:*", _SCHEDULED, ecs__cluster=target["Arn"])
        for task in environment.of_type("AWS::ECS::TaskDefinition"):
            if environment.arn(task) == made:
                for kind in ("TaskRoleArn", "ExecutionRoleArn"):
                    yield need(
                        "iam:PassRole",
                        task.properties[kind],
                        _SCHEDULED,
                        iam__PassedToService="ecs-tasks.amazonaws.com",
                    )
