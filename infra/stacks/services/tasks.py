"""Task definitions: an image's process on Fargate, with nothing to write to but /tmp, logged, by roles of its own."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept
from infra.stacks.services.ports import CODE_PORT
from infra.stacks.services.processes import Process
from infra.stacks.services.task_roles import tasks_of

_TMP = "tmp"
# Fargate gives 20 GiB without a charge (ECS guide, "Fargate task ephemeral storage"). A run's spill and uploads fit.


class Tasks:
    """Makes the task definitions of one stack, whose image's digest is given at deployment.

    A digest and no tag: what was tested is what runs, and a rollback finds it again. CloudFormation refuses a first
    deployment without it, and keeps it for later ones.
    """

    def __init__(self, stack: PlatformStack, image: str, key: kms.IKey) -> None:
        self.stack, self.key, self.image = stack, key, image
        self.logs: dict[str, logs.LogGroup] = {}
        self.digest = cdk.CfnParameter(
            stack,
            "ImageDigest",
            description=f"Digest of the image {image}, as the delivery pipeline pushed it",
            allowed_pattern="sha256:[0-9a-f]{64}",
            constraint_description="must be sha256: and 64 hexadecimal digits, as docker push prints it",
        )
        self._repository = ecr.Repository.from_repository_name(
            stack, "Repository", stack.config.image_repository(image)
        )

    def definition(
        self, process: Process, role: iam.Role, environment: Mapping[str, str], command: tuple[str, ...] | None = None
    ) -> ecs.FargateTaskDefinition:
        """The process as a task: on arm64, which costs a fifth less than x86 (Fargate pricing page)."""
        name = process.name.capitalize()
        log = self.logs[process.name] = self._log(process)
        definition = ecs.FargateTaskDefinition(
            self.stack,
            f"{name}Task",
            family=f"{self.stack.config.name}-{self.image}-{process.name}",
            cpu=process.cpu,
            memory_limit_mib=process.memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
            task_role=role,
            execution_role=self._execution_role(name),
            volumes=[ecs.Volume(name=_TMP)],
        )
        container = definition.add_container(
            process.name,
            container_name=process.name,
            image=ecs.ContainerImage.from_registry(
                self._repository.repository_uri_for_digest(self.digest.value_as_string)
            ),
            command=list(command or process.command),
            environment=dict(environment),
            readonly_root_filesystem=True,
            # A shell's and dbt's children are buried.
            linux_parameters=ecs.LinuxParameters(self.stack, f"{name}Linux", init_process_enabled=True),
            # The longest that Fargate waits after SIGTERM (ECS API, ContainerDefinition).
            stop_timeout=cdk.Duration.seconds(120),
            port_mappings=_port(process),
            health_check=_health(process),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=process.name, log_group=log),
        )
        container.add_mount_points(ecs.MountPoint(container_path="/tmp", source_volume=_TMP, read_only=False))  # noqa: S108  # a volume of the task alone
        accept(
            definition, "AwsSolutions-ECS2", "The variables name places and secrets; no value of a secret is in them"
        )
        return definition

    def versioned(self, process: Process) -> tuple[str, ...]:
        """The command of a code server that says which image it is of: so that several tasks of it are one server to
        Dagster, and those of another image another, whose code it loads anew.
        """
        return (*process.command, "--fixed-server-id", self.digest.value_as_string)

    def _log(self, process: Process) -> logs.LogGroup:
        return logs.LogGroup(
            self.stack,
            f"{process.name.capitalize()}Log",
            log_group_name=f"/{self.stack.config.name}/{self.image}/{process.name}",
            retention=logs.RetentionDays.THREE_MONTHS,
            encryption_key=self.key,
            # Not on creation: with its fixed name it would stand in the way of the next attempt.
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def _execution_role(self, name: str) -> iam.Role:
        """Fargate's own, before the process begins: it fetches the image. That it writes the log, the CDK allows."""
        role = iam.Role(self.stack, f"{name}ExecutionRole", assumed_by=tasks_of(self.stack))
        pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        statements = {
            "Pull": (pull, [self._repository.repository_arn]),
            # ECR gives one token for all repositories (its guide, "Private registry authentication").
            "Token": (["ecr:GetAuthorizationToken"], ["*"]),
        }
        for sid, (actions, resources) in statements.items():
            role.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
        accept(role, "AwsSolutions-IAM5[Resource::*]", "A token of ECR is not for one repository")
        return role


def logs_use(stack: PlatformStack, key: kms.Key, image: str) -> None:
    """Let CloudWatch Logs encrypt the log groups of an image's processes by a key, and no others.

    CloudWatch Logs guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service".
    """
    groups = stack.format_arn(service="logs", resource=f"log-group:/{stack.config.name}/{image}/*")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LogsEncrypt",
            principals=[iam.ServicePrincipal(f"logs.{stack.config.region}.amazonaws.com")],
            actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            resources=["*"],
            conditions={
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups},
                "StringEquals": {"aws:SourceAccount": stack.config.account},
            },
        )
    )


def subnets(stack: PlatformStack, ids: list[str], name: str) -> ec2.SubnetSelection:
    """A selection of subnets by their ids."""
    found = [ec2.Subnet.from_subnet_id(stack, f"{name}{number}", each) for number, each in enumerate(ids)]
    for subnet in found:
        accept(subnet, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "No route is added from this stack")
    return ec2.SubnetSelection(subnets=found)


def _port(process: Process) -> list[ecs.PortMapping] | None:
    if process.port is None:
        return None
    spoken = ecs.AppProtocol.grpc if process.port == CODE_PORT else ecs.AppProtocol.http
    return [ecs.PortMapping(container_port=process.port, name=process.name, app_protocol=spoken)]  # type: ignore[arg-type]  # to mypy a class property of jsii is a function


def _health(process: Process) -> ecs.HealthCheck | None:
    if not process.healthy:
        return None
    # Dagster's own checks import Dagster: seconds of half a core. The first look waits until dbt's models are parsed.
    return ecs.HealthCheck(
        command=["CMD", *process.healthy],
        interval=cdk.Duration.seconds(60),
        timeout=cdk.Duration.seconds(30),
        retries=3,
        start_period=cdk.Duration.seconds(180),
    )
