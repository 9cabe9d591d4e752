"""Dagster's data: its database, what runs print, and the people who may work with it."""

from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.lake.lifecycle import expire
from infra.stacks.nag import accept
from infra.stacks.orchestration.database import add_database
from infra.stacks.orchestration.operators import add_operators
from infra.stacks.parameters import publish
from infra.stacks.private_bucket import private_bucket
from infra.stacks.services.tasks import logs_use


class OrchestrationDataStack(PlatformStack):
    """Everything of Dagster's that outlives its services: which hours were built when, by which run."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "OrchestrationData", config, holds_data=True)
        key = self.key("Key", "orchestration", f"Dagster of {config.name}: history, logs")
        logs_use(self, key, "dagster")
        cluster = add_database(self, key)
        printed = private_bucket(
            self,
            "ComputeLogs",
            key,
            [expire("compute-logs", None, config.failed_delivery_days)],
            name=config.compute_log_bucket,
        )
        accept(printed, "AwsSolutions-S1", "What runs print; Dagster alone writes and reads it")
        publish(
            self,
            config,
            {
                "dagster-key": key.key_arn,
                "dagster-database-host": cluster.cluster_endpoint.hostname,
                "dagster-database-id": cluster.cluster_resource_identifier,
            },
        )
        if config.domain:
            operators = add_operators(self)
            publish(self, config, {"operators-pool": operators.pool, "operators-client": operators.client})
        self.outputs(DagsterDatabaseHost=cluster.cluster_endpoint.hostname, ComputeLogBucket=printed.bucket_name)
