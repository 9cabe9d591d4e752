"""Every log has an end, and every writer of logs a group that is declared: one that AWS makes is kept for ever."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, text

_GROUP = "AWS::Logs::LogGroup"


def log_groups_have_an_end(environment: Synthesised) -> Problems:
    """Without RetentionInDays events never expire (CloudWatch Logs API, PutRetentionPolicy)."""
    for group in environment.of_type(_GROUP):
        if not isinstance(group.properties.get("RetentionInDays"), int):
            yield group, "keeps its events for ever: RetentionInDays is missing"


def log_groups_are_declared(environment: Synthesised) -> Problems:
    """Functions, deliveries, flow logs, databases, builds and tasks write to groups of the templates."""
    declared = {name for group in environment.of_type(_GROUP) for name in _names(group)}
    for resource in environment.resources:
        for wanted in _written(resource):
            if wanted not in declared:
                yield resource, f"writes to the log group {wanted or 'of AWS making'}, which no template declares"


def _names(group: Resource) -> Iterator[str]:
    """What a group is called in its own stack, and its name."""
    yield f"${{{group.name}}}"
    if "LogGroupName" in group.properties:
        yield text(group.properties["LogGroupName"])


def _written(resource: Resource) -> Iterator[str]:
    says = resource.properties
    match resource.type:
        case "AWS::Lambda::Function":
            named = says.get("LoggingConfig", {}).get("LogGroup")
            yield f"/aws/lambda/${{{resource.name}}}" if named is None else text(named)
        case "AWS::KinesisFirehose::DeliveryStream":
            yield from _of_deliveries(says)
        case "AWS::EC2::FlowLog" if says.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs":
            yield text(says.get("LogGroupName", ""))
        case "AWS::RDS::DBCluster":
            # RDS guide, "Publishing Aurora PostgreSQL logs to Amazon CloudWatch Logs".
            for export in listed(says.get("EnableCloudwatchLogsExports")):
                yield f"/aws/rds/cluster/{text(says.get('DBClusterIdentifier', ''))}/{export}"
        case "AWS::RedshiftServerless::Namespace":
            # Redshift guide, "Audit logging for Amazon Redshift Serverless".
            for export in listed(says.get("LogExports")):
                yield f"/aws/redshift/{text(says['NamespaceName'])}/{export}"
        case "AWS::CodeBuild::Project":
            yield text(says.get("LogsConfig", {}).get("CloudWatchLogs", {}).get("GroupName", ""))
        case "AWS::ECS::TaskDefinition":
            logs = [container.get("LogConfiguration", {}) for container in listed(says.get("ContainerDefinitions"))]
            yield from (text(log["Options"]["awslogs-group"]) for log in logs if log.get("LogDriver") == "awslogs")


def _of_deliveries(says: Mapping[str, Any]) -> Iterator[str]:
    for key, destination in says.items():
        if key.endswith("DestinationConfiguration"):
            yield text(destination.get("CloudWatchLoggingOptions", {}).get("LogGroupName", ""))


def warehouses_and_registries_log(environment: Synthesised) -> Problems:
    """Who connected and what he asked is on record."""
    for cluster in environment.of_type("AWS::RDS::DBCluster"):
        if not cluster.properties.get("EnableCloudwatchLogsExports"):
            yield cluster, "exports no log"
    for namespace in environment.of_type("AWS::RedshiftServerless::Namespace"):
        missing = {"userlog", "connectionlog", "useractivitylog"} - set(listed(namespace.properties.get("LogExports")))
        if missing:
            yield namespace, f"does not export {', '.join(sorted(missing))}"
    for trail in environment.of_type("AWS::CloudTrail::Trail"):
        if not (trail.properties.get("IsLogging") and trail.properties.get("EnableLogFileValidation")):
            yield trail, "does not log, or its files could be changed unnoticed (EnableLogFileValidation)"


def buckets_log_their_requests(environment: Synthesised) -> Problems:
    """The lake's and the results' requests are on record: they are what tells who read what."""
    for bucket in environment.of_type("AWS::S3::Bucket"):
        name = text(bucket.properties.get("BucketName", ""))
        if re.search("-(lake|results)-", name) and "LoggingConfiguration" not in bucket.properties:
            yield bucket, "has no access log"
