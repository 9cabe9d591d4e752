"""Where the runs of Dagster's jobs are started on AWS: a task of ECS each, in the network and by the role of its job.

Named in `dagster.yaml` (infra/images). dagster-aws would ask EC2 for the network of the task it runs in, once for each
run: that needs an endpoint of EC2 in a network without internet, and a permission on every network interface.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import dagster as dg
from dagster_aws.ecs import EcsRunLauncher
from dagster_aws.ecs.container_context import EcsContainerContext

_TEXT = dg.Field(dg.StringSource)
_OWN_ROLE = {"jobs": dg.Field([str]), "role": _TEXT, "registry_secret": _TEXT}


class RunTasks(EcsRunLauncher[dg.DagsterInstance]):
    """Starts each run as a task of an existing definition, whose container is called `run`.

    `subnets` are ids with commas between. `own_roles` are of jobs that may do what no other run may: the role that
    their tasks have, and the secret by which they sign in to the registry. All others have those of the definition.
    """

    def __init__(self, *, own_roles: Sequence[Mapping[str, Any]], **launcher: Any) -> None:
        self._own = {job: each for each in own_roles for job in each["jobs"]}
        super().__init__(**launcher)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """What `dagster.yaml` may say; each text may name an environment variable."""
        names = ("cluster", "task_definition", "subnets", "security_group", "capacity_provider")
        resources = dg.Field({"cpu": dg.StringSource, "memory": dg.StringSource})
        return {**dict.fromkeys(names, _TEXT), "own_roles": dg.Field([_OWN_ROLE]), "run_resources": resources}

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

    # These two are private to dagster-aws, whose release is pinned with Dagster's; a test starts runs by them.
    def _get_task_overrides(self, container_context: EcsContainerContext, run: dg.DagsterRun) -> Mapping[str, Any]:
        asked = super()._get_task_overrides(container_context, run)
        own = self._own.get(run.job_name)
        return asked if own is None else {**asked, "taskRoleArn": own["role"]}

    def _get_container_overrides(self, run: dg.DagsterRun) -> Mapping[str, Any]:
        asked = super()._get_container_overrides(run)
        if (own := self._own.get(run.job_name)) is None:
            return asked
        secret = {"name": "IOT_REGISTRY_SECRET_ARN", "value": own["registry_secret"]}
        return {**asked, "environment": [*asked.get("environment", []), secret]}
