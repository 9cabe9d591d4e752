"""What there is in a local AWS, service by service, by name."""

from collections.abc import Callable, Mapping
from typing import Any

Client = Callable[[str], Any]


def inventory(client: Client) -> dict[str, set[str]]:
    """The names of everything that the platform's stacks make, and of what others made of the same kinds.

    The bucket for packages of functions is the CDK's, not the platform's, and left out.
    """
    found = {kind: {_name(one) for one in read(client)} for kind, read in _READERS.items()}
    found["bucket"] = {name for name in found["bucket"] if not name.startswith("cdk-")}
    return {kind: names for kind, names in found.items() if names}


def _pages(
    service: str, operation: str, key: str, field: str | None = None, **arguments: Any
) -> Callable[[Client], Any]:
    def read(client: Client) -> Any:
        listed = getattr(client(service), operation)(**arguments)
        while True:
            for one in listed.get(key, []):
                yield one if field is None else one[field]
            token = next(
                (name for name in ("NextToken", "nextToken", "Marker", "nextMarker") if listed.get(name)), None
            )
            if token is None:
                return
            parameter = {"nextMarker": "marker"}.get(token, token)
            listed = getattr(client(service), operation)(**arguments, **{parameter: listed[token]})

    return read


def _keys(client: Client) -> list[str]:
    """Keys that are not about to be deleted."""
    kms = client("kms")
    ids = [one["KeyId"] for one in kms.list_keys(Limit=1000)["Keys"]]
    states = {key: kms.describe_key(KeyId=key)["KeyMetadata"] for key in ids}
    return [
        key for key, state in states.items() if state["KeyState"] == "Enabled" and state["KeyManager"] == "CUSTOMER"
    ]


def _pools(client: Client) -> list[str]:
    return [one["Id"] for one in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]]


def _name(value: Any) -> str:
    return str(value).rpartition("/")[2] if str(value).startswith("http") else str(value)


_READERS: Mapping[str, Callable[[Client], Any]] = {
    "bucket": _pages("s3", "list_buckets", "Buckets", "Name"),
    "key": _keys,
    "table": _pages("dynamodb", "list_tables", "TableNames"),
    "queue": _pages("sqs", "list_queues", "QueueUrls"),
    "topic": _pages("sns", "list_topics", "Topics", "TopicArn"),
    "function": _pages("lambda", "list_functions", "Functions", "FunctionName"),
    "mapping": _pages("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "role": _pages("iam", "list_roles", "Roles", "RoleName", MaxItems=1000),
    "rule": _pages("iot", "list_topic_rules", "rules", "ruleName"),
    "thing type": _pages("iot", "list_thing_types", "thingTypes", "thingTypeName"),
    "policy": _pages("iot", "list_policies", "policies", "policyName"),
    "template": _pages("iot", "list_provisioning_templates", "templates", "templateName"),
    "stream": _pages("kinesis", "list_streams", "StreamNames"),
    "delivery stream": _pages("firehose", "list_delivery_streams", "DeliveryStreamNames"),
    "database": _pages("glue", "get_databases", "DatabaseList", "Name"),
    "crawler": _pages("glue", "get_crawlers", "Crawlers", "Name"),
    "workgroup": _pages("athena", "list_work_groups", "WorkGroups", "Name"),
    "log group": _pages("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "schedule": _pages("events", "list_rules", "Rules", "Name"),
    "alarm": _pages("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "secret": _pages("secretsmanager", "list_secrets", "SecretList", "Name"),
    "parameter": _pages("ssm", "describe_parameters", "Parameters", "Name", MaxResults=50),
    "user pool": _pools,
}
