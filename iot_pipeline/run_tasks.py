"""Where the runs of Dagster's jobs are started on AWS: a task of ECS each, in the network and by the role of its job.

Named in `dagster.yaml` (infra/images). dagster-aws would ask EC2 for the network of the task it runs in, once for each
run: that needs an endpoint of EC2 in a network without internet, and a permission on every network interface.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import dagster as dg
from dagster_aws.ecs import EcsRunLauncher
from dagster_aws.ecs.container_context import EcsContainerContext


class RunTasks(EcsRunLauncher[dg.DagsterInstance]):
    """Starts each run as a task of an existing definition, whose container is called `run`.

    `subnets` are ids with commas between. Runs of `removal_jobs`, which remove what no other run may, have
    `removal_role` for their role, all others that of the task definition.
    """

    def __init__(self, *, removal_role: str, removal_jobs: Sequence[str], **launcher: Any) -> None:
        self.removal_role, self.removal_jobs = removal_role, frozenset(removal_jobs)
        super().__init__(**launcher)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """What `dagster.yaml` may say; each text may name an environment variable."""
        text = dg.Field(dg.StringSource)
        names = ("cluster", "task_definition", "subnets", "security_group", "capacity_provider", "removal_role")
        resources = dg.Field({"cpu": dg.StringSource, "memory": dg.StringSource})
        return {**dict.fromkeys(names, text), "removal_jobs": dg.Field([str]), "run_resources": resources}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        """The launcher as configured. Raises botocore's errors if ECS does not know the task definition."""
        where = dict(config_value)
        network = {"subnets": where.pop("subnets").split(","), "securityGroups": [where.pop("security_group")]}
        started = {
            "cluster": where.pop("cluster"),
            "capacityProviderStrategy": [{"capacityProvider": where.pop("capacity_provider")}],
            "networkConfiguration": {"awsvpcConfiguration": {**network, "assignPublicIp": "DISABLED"}},
        }
        # By default every secret that is tagged "dagster" would be given to each run.
        return cls(
            inst_data=inst_data,
            use_current_ecs_task_config=False,
            secrets_tag=None,
            run_task_kwargs=started,
            **where,
        )

    # Private to dagster-aws, whose release is pinned with Dagster's; a test calls it.
    def _get_task_overrides(self, container_context: EcsContainerContext, run: dg.DagsterRun) -> Mapping[str, Any]:
        asked = super()._get_task_overrides(container_context, run)
        return {**asked, "taskRoleArn": self.removal_role} if run.job_name in self.removal_jobs else asked
