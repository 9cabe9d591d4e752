"""What Dagster's own processes call: found in dagster-aws, whose release is pinned, by its functions' names.

Their settings are those of infra/images/dagster.yaml, which reads them from the variables of the task.
"""

from collections.abc import Iterator, Mapping

from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, listing, need

_SIGN_IN = 'RDS guide, "Creating and using an IAM policy for IAM database access": aws_wif of dagster.yaml'
_LAUNCHER = "dagster_aws.ecs.launcher:EcsRunLauncher.{}"
_LAST_WORDS = "dagster_aws.ecs.utils:get_task_logs"
_LOGS = "dagster_aws.s3.compute_log_manager:S3ComputeLogManager.{}"
_TAGGED = 'ECS guide, "Grant permission to tag resources on creation"'
_PASSED = 'ECS guide, "Amazon ECS task IAM role": whoever starts a task passes its roles'
# The prefix that dagster.yaml has.
PRINTED = "dagster/compute-logs/"


def variables(task: Resource) -> Mapping[str, str]:
    """The variables of a task's first container."""
    return {each["Name"]: each["Value"] for each in task.properties["ContainerDefinitions"][0].get("Environment", ())}


def storage_calls(environment: Environment, task: Resource) -> Iterator[Need]:
    """Signing in to Dagster's database, where the task is told of it."""
    told, config = variables(task), environment.config
    for cluster in environment.of_type("AWS::RDS::DBCluster"):
        made = f"{cluster.stack}-{cluster.logical_id}"
        if told.get("DAGSTER_POSTGRES_HOST") == f"{made}.Endpoint.Address":
            user = f"{made}.DBClusterResourceId/{told['DAGSTER_POSTGRES_USER']}"
            yield need("rds-db:connect", f"arn:aws:rds-db:{config.region}:{config.account}:dbuser:{user}", _SIGN_IN)


def printing_calls(task: Resource) -> Iterator[Need]:
    """Keeping what runs and sensors print, in parts where it is long."""
    objects = f"arn:aws:s3:::{variables(task)['DAGSTER_LOGS_BUCKET']}/{PRINTED}*"
    for action in ("PutObject", "AbortMultipartUpload"):
        yield need(f"s3:{action}", objects, _LOGS.format("_upload_file_obj"))
    # Whether it is there already is asked by HeadObject, which answers "not found" to those alone who may list.
    yield need("s3:GetObject", objects, _LOGS.format("cloud_storage_has_logs"))
    yield listing(
        f"arn:aws:s3:::{variables(task)['DAGSTER_LOGS_BUCKET']}", PRINTED, _LOGS.format("cloud_storage_has_logs")
    )


def webserver_calls(environment: Environment, task: Resource) -> Iterator[Need]:
    """Showing what runs printed, and ending runs at a person's word."""
    bucket = f"arn:aws:s3:::{variables(task)['DAGSTER_LOGS_BUCKET']}"
    yield need("s3:GetObject", f"{bucket}/{PRINTED}*", _LOGS.format("download_from_cloud_storage"))
    yield listing(bucket, PRINTED, _LOGS.format("get_log_keys_for_log_key_prefix"))
    yield from _following(environment, task)


def daemon_calls(environment: Environment, task: Resource) -> Iterator[Need]:
    """Starting runs, looking after them, ending them, and telling what the container of a failed one said last."""
    told, config = variables(task), environment.config
    yield from _following(environment, task)
    run = told["DAGSTER_RUN_TASK_DEFINITION"]
    cluster = told["DAGSTER_RUN_CLUSTER"]
    ecs = f"arn:aws:ecs:{config.region}:{config.account}:"
    launch = _LAUNCHER.format("launch_run")
    yield need("ecs:RunTask", f"{run}:*", launch, ecs__cluster=f"{ecs}cluster/{cluster}")
    # `build_ecs_tags_for_run_task` tags each task with its run.
    yield need("ecs:TagResource", f"{ecs}task/{cluster}/*", f"{launch}; {_TAGGED}", ecs__CreateAction="RunTask")
    for definition in environment.of_type("AWS::ECS::TaskDefinition"):
        if environment.arn(definition) != run:
            continue
        passed = [definition.properties[kind] for kind in ("TaskRoleArn", "ExecutionRoleArn")]
        passed += [told[name] for name in ("DAGSTER_REMOVAL_ROLE", "DAGSTER_REPLAY_ROLE")]
        for role in passed:
            yield need("iam:PassRole", role, f"{launch}; {_PASSED}", iam__PassedToService="ecs-tasks.amazonaws.com")
        for container in definition.properties["ContainerDefinitions"]:
            group = container["LogConfiguration"]["Options"]["awslogs-group"]
            log = f"arn:aws:logs:{config.region}:{config.account}:log-group:{group}:*"
            yield need("logs:GetLogEvents", log, _LAST_WORDS)


def _following(environment: Environment, task: Resource) -> Iterator[Need]:
    config, cluster = environment.config, variables(task)["DAGSTER_RUN_CLUSTER"]
    tasks = f"arn:aws:ecs:{config.region}:{config.account}:task/{cluster}/*"
    # ECS has no resources for reading definitions (service authorization reference, Amazon ECS).
    yield need("ecs:DescribeTaskDefinition", "*", _LAUNCHER.format("__init__"))
    yield need("ecs:DescribeTasks", tasks, _LAUNCHER.format("check_run_worker_health"))
    yield need("ecs:StopTask", tasks, _LAUNCHER.format("terminate"))
