"""Dagster on ECS: code location, webserver, daemon, the tasks of its runs, and the watcher outside of it."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_servicediscovery as cloudmap
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.network.found import nameless_vpc
from infra.stacks.orchestration.database import DATABASE, USER
from infra.stacks.orchestration.roles import Roles, add_roles, allow_starting
from infra.stacks.orchestration.serving import Serving, add_code_location, add_daemon, add_webserver
from infra.stacks.orchestration.sign_in import show_to_operators
from infra.stacks.orchestration.watcher import add_watcher
from infra.stacks.parameters import read
from infra.stacks.services.places import REGISTRY_READER, REGISTRY_WRITER, Places
from infra.stacks.services.processes import CODE, DAEMON, RUN, WATCHER, WEBSERVER
from infra.stacks.services.tasks import Tasks, subnets
from iot_pipeline.contract import Contract


class OrchestrationStack(PlatformStack):
    """It holds nothing: made again, Dagster goes on from its database."""

    def __init__(self, scope: Construct, config: PlatformConfig, contract: Contract) -> None:
        super().__init__(scope, "Orchestration", config, holds_data=False)
        places = Places(self)
        ids = [read(self, config, f"subnet-{zone}") for zone in config.zones[: config.service_zones]]
        group = read(self, config, "dagster-access")
        serving = Serving(
            stack=self,
            cluster=_cluster(self),
            subnets=subnets(self, ids, "Private"),
            group=ec2.SecurityGroup.from_security_group_id(self, "Access", group, mutable=False),
        )
        tasks = Tasks(self, "dagster", kms.Key.from_key_arn(self, "Key", read(self, config, "dagster-key")))
        roles = add_roles(self, places, contract)
        common = {**places.environment(REGISTRY_READER), **_instance(self)}
        run = tasks.definition(RUN, roles.run, common)
        allow_starting(self, roles, run, tasks.logs[RUN.name].log_group_arn)
        launching = {**common, **_launching(self, roles, run, serving.cluster, ids, group)}
        code = add_code_location(serving, tasks.definition(CODE, roles.code, common, tasks.versioned(CODE)), tasks)
        webserver = add_webserver(serving, tasks.definition(WEBSERVER, roles.webserver, launching))
        daemon = add_daemon(serving, tasks.definition(DAEMON, roles.daemon, launching))
        for client in (webserver, daemon):
            client.node.add_dependency(code)
        add_watcher(serving, tasks.definition(WATCHER, roles.watcher, common))
        if config.domain:
            show_to_operators(self, webserver)
        self.outputs(
            DagsterCluster=serving.cluster.cluster_name,
            DagsterCodeService=code.service_name,
            DagsterRunTaskDefinition=run.task_definition_arn,
        )


def _cluster(stack: PlatformStack) -> ecs.Cluster:
    cluster = ecs.Cluster(
        stack,
        "Cluster",
        cluster_name=stack.config.dagster_name,
        vpc=nameless_vpc(stack),
        enable_fargate_capacity_providers=True,
        container_insights_v2=ecs.ContainerInsights.ENABLED,
    )
    # Names in the services' own proxies, and no zone of DNS.
    cluster.add_default_cloud_map_namespace(
        name=stack.config.dagster_name, type=cloudmap.NamespaceType.HTTP, use_for_service_connect=True
    )
    return cluster


def _instance(stack: PlatformStack) -> dict[str, str]:
    """What the image's dagster.yaml and workspace.yaml read, in every process."""
    return {
        "DAGSTER_POSTGRES_HOST": read(stack, stack.config, "dagster-database-host"),
        "DAGSTER_POSTGRES_USER": USER,
        "DAGSTER_POSTGRES_DB": DATABASE,
        "DAGSTER_LOGS_BUCKET": stack.config.compute_log_bucket,
        "DAGSTER_CODE_HOST": CODE.name,
    }


def _launching(
    stack: PlatformStack,
    roles: Roles,
    run: ecs.FargateTaskDefinition,
    cluster: ecs.Cluster,
    ids: list[str],
    group: str,
) -> dict[str, str]:
    """What the run launcher reads, where runs are started or ended. With its revision, so that a run has the code that
    asked for it.
    """
    return {
        "DAGSTER_RUN_CLUSTER": cluster.cluster_name,
        "DAGSTER_RUN_TASK_DEFINITION": run.task_definition_arn,
        "DAGSTER_RUN_SUBNETS": ",".join(ids),
        "DAGSTER_RUN_SECURITY_GROUP": group,
        "DAGSTER_RUN_CAPACITY": "FARGATE_SPOT" if stack.config.runs_on_spot else "FARGATE",
        "DAGSTER_REMOVAL_ROLE": roles.removal.role_arn,
        "DAGSTER_REMOVAL_REGISTRY_SECRET": stack.config.database_secret(REGISTRY_WRITER),
        "DAGSTER_REPLAY_ROLE": roles.replay.role_arn,
    }
