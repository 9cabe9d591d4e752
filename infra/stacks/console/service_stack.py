"""The console on ECS, behind the load balancer; its data and its people are in another stack."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.console.permissions import console_statements
from infra.stacks.entrance.routes import CONSOLE_PRIORITY, route
from infra.stacks.nag import accept
from infra.stacks.network.found import nameless_vpc
from infra.stacks.parameters import read
from infra.stacks.services.places import REGISTRY_WRITER, Places
from infra.stacks.services.ports import CONSOLE_PORT
from infra.stacks.services.processes import ANY_ADDRESS, CONSOLE
from infra.stacks.services.releases import BREAKER, scale
from infra.stacks.services.task_roles import task_role
from infra.stacks.services.tasks import Tasks, subnets


class ConsoleStack(PlatformStack):
    """The console signs people in itself, by Cognito, so that the balancer sends it whatever comes for its host.

    Its tasks are in the public subnets, since Cognito's tokens are fetched from the internet; the security group lets
    in the balancer alone.
    """

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Console", config, holds_data=False)
        places = Places(self)
        pool = read(self, config, "console-pool")
        tasks = Tasks(self, "console", kms.Key.from_key_arn(self, "Key", read(self, config, "console-key")))
        role = task_role(
            self,
            "Role",
            "The console",
            console_statements(places, pool),
            "Zones hold objects by hour, devices and certificates have names of their own, and AWS ends names with ids",
        )
        service = ecs.FargateService(
            self,
            "Service",
            cluster=_cluster(self),
            task_definition=tasks.definition(
                CONSOLE, role, {**places.environment(REGISTRY_WRITER), **_settings(self, pool)}
            ),
            desired_count=config.service_tasks,
            vpc_subnets=subnets(self, [read(self, config, f"public-{zone}") for zone in config.zones], "Public"),
            assign_public_ip=True,
            security_groups=[
                ec2.SecurityGroup.from_security_group_id(
                    self, "Access", read(self, config, "console-access"), mutable=False
                )
            ],
            circuit_breaker=BREAKER,
            min_healthy_percent=100,
            max_healthy_percent=200,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        accept(
            service,
            "Platform::nothing_has_a_public_address[AssignPublicIp is ENABLED]",
            "Cognito's domain has no endpoint in a VPC, so that its tokens come by the internet; nothing but the "
            "balancer is let in",
        )
        scale(service, self)
        route(self, "console", CONSOLE_PRIORITY, CONSOLE_PORT, "/healthz").add_target(service)
        self.outputs(ConsoleService=service.service_name)


def _cluster(stack: PlatformStack) -> ecs.Cluster:
    return ecs.Cluster(
        stack,
        "Cluster",
        cluster_name=stack.config.console_cluster,
        vpc=nameless_vpc(stack),
        container_insights_v2=ecs.ContainerInsights.ENABLED,
    )


def _settings(stack: PlatformStack, pool: str) -> dict[str, str]:
    """The console's own settings (docs/operations.md)."""
    config = stack.config
    return {
        "IOT_CONSOLE_URL": config.console_address,
        "IOT_CONSOLE_HOST": ANY_ADDRESS,
        "IOT_CONSOLE_PORT": str(CONSOLE_PORT),
        "IOT_CONSOLE_TABLE": config.console_table,
        "IOT_CONSOLE_ISSUER": f"https://cognito-idp.{stack.region}.amazonaws.com/{pool}",
        "IOT_CONSOLE_CLIENT_ID": read(stack, config, "console-client"),
        "IOT_CONSOLE_USER_POOL": pool,
    }
