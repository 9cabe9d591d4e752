"""What of the stacks' templates runs by itself, row by row: AWS's clocks, the functions that they and data call, and
what AWS removes or moves by itself.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.unattended.standing_types import STANDING
from iot_pipeline.unattended.row import Row

Resource = Mapping[str, Any]
Resources = Mapping[str, Resource]
_NOBODY = "nobody"
_CALLS = "No statement: Lambda bills each call and its gigabyte-seconds (prices: `make cost`)."
_SERVICES = "subscribers of `AlertsTopicArn`, by CloudWatch's alarm `ServiceDown`"
_DAY_MINUTES = 1440


@dataclass(frozen=True)
class Found:
    """A resource, by its name among all resources."""

    name: str
    resources: Resources

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties."""
        found: Mapping[str, Any] = self.resources[self.name]["Properties"]
        return found

    @property
    def stack(self) -> str:
        """Its stack."""
        return self.name.partition(".")[0]


def read(assembly: Path) -> dict[str, Resource]:
    """The resources of all templates of a cloud assembly, by stack and logical id."""
    found: dict[str, Resource] = {}
    for path in sorted(assembly.glob("*.template.json")):
        stack = path.name.partition(".")[0]
        for name, resource in json.loads(path.read_text(encoding="utf-8"))["Resources"].items():
            found[f"{stack}.{name}"] = resource
    return found


def template_rows(resources: Resources) -> Iterator[Row]:
    """The rows of all resources that do anything by themselves; those that differ in their names alone are one.

    Raises KeyError for a type that nobody has classed.
    """
    names = defaultdict[tuple[str, str, str, str], list[str]](list)
    for name, resource in sorted(resources.items(), key=lambda pair: (pair[1]["Type"], pair[0])):
        kind = resource["Type"]
        for row in () if kind in STANDING else _ROWS[kind](Found(name, resources)):
            names[row.when, row.does, row.cost, row.woken].append(row.name)
    for (when, does, cost, woken), alike in names.items():
        yield Row(", ".join(dict.fromkeys(alike)), when, does, cost, woken)


def _rule(it: Found) -> Iterator[Row]:
    properties = it.properties
    if "EventPattern" in properties:
        does = properties["Description"] + "."
        cost = "Nothing: EventBridge does not bill events of AWS's own services."
        name = f"rule `{properties['Name']}`"
        yield Row(name, "at each such event, by EventBridge", does, cost, "subscribers of `AlertsTopicArn`")
        return
    schedule, function = properties["ScheduleExpression"], properties["Name"]
    if any("EcsParameters" in target for target in properties["Targets"]):
        cost = "No statement: Fargate bills a task's seconds, at least a minute of them (prices: `make cost`)."
        yield Row(f"rule `{function}`", schedule, properties["Description"] + ", by a task.", cost, _SERVICES)
        return
    calls = f"{_DAY_MINUTES:,} calls a day. " if schedule == "rate(1 minute)" else ""
    yield Row(
        f"rule `{function}`", schedule, properties["Description"] + ".", calls + _CALLS, _alarms(function, it.resources)
    )


def _mapping(it: Found) -> Iterator[Row]:
    properties = it.properties
    function = _function(properties["FunctionName"], it)
    yield Row(
        f"event source mapping of `{function}`",
        "as records come, each shard polled once a second",
        f"Calls the function with up to {properties['BatchSize']} records of the stream; after "
        f"{properties['MaximumRetryAttempts']} attempts they go to the failure bucket.",
        _CALLS,
        _alarms(function, it.resources),
    )


def _function(reference: Any, it: Found) -> str:
    """The name of the function that a property refers to, within its stack."""
    logical = reference["Fn::GetAtt"][0] if "Fn::GetAtt" in reference else reference["Ref"]
    return str(it.resources[f"{it.stack}.{logical}"]["Properties"]["FunctionName"])


def _alarms(function: str, resources: Resources) -> str:
    """The alarms on a function, which tell the pipeline's own topic."""
    found = [
        f"`{each['Properties']['MetricName']}`"
        for each in resources.values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
        and {"Name": "FunctionName", "Value": function} in each["Properties"].get("Dimensions", [])
    ]
    return f"subscribers of `AlertsTopicArn`, by CloudWatch's alarms on {', '.join(dict.fromkeys(found))}"


def _lifecycle(it: Found) -> Iterator[Row]:
    for rule in it.properties.get("LifecycleConfiguration", {}).get("Rules", []):
        prefix = rule.get("Prefix")
        where = f"under `{prefix}`" if prefix else "of all prefixes"
        yield Row(
            f"lifecycle rule `{rule['Id']}` of {_plain(it.name)}",
            "once a day, by S3",
            f"Objects {where}: {', '.join(_actions(rule))}.",
            "No statement: moving to another class is billed by the object, removing is free."
            if "Transitions" in rule
            else "Nothing.",
            _NOBODY,
        )


def _actions(rule: Mapping[str, Any]) -> Iterator[str]:
    for each in rule.get("Transitions", []):
        yield f"to {each['StorageClass']} after {each['TransitionInDays']} days"
    if "ExpirationInDays" in rule:
        yield f"removed after {_days(rule['ExpirationInDays'])}"
    if "NoncurrentVersionExpiration" in rule:
        days = _days(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
        yield f"what was deleted or overwritten is gone for good after {days}"
    if "AbortIncompleteMultipartUpload" in rule:
        days = _days(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        yield f"uploads that nobody ended are dropped after {days}"


def _days(count: int) -> str:
    return "a day" if count == 1 else f"{count} days"


def _crawler(it: Found) -> Iterator[Row]:
    properties = it.properties
    schedule = properties.get("Schedule", {}).get("ScheduleExpression")
    if schedule is not None:
        cost = "No statement: Glue bills crawlers by the DPU-hour."
        yield Row(f"crawler `{properties['Name']}`", schedule, properties["Description"] + ".", cost, _NOBODY)


def _trigger(it: Found) -> Iterator[Row]:
    properties = it.properties
    if properties["Type"] == "SCHEDULED":
        cost = "Nothing: what it begins is billed."
        name = f"trigger `{properties['Name']}` of Glue"
        yield Row(name, properties["Schedule"], properties["Description"] + ".", cost, _NOBODY)


def _job(it: Found) -> Iterator[Row]:
    properties = it.properties
    if properties["Command"]["Name"] == "gluestreaming":
        yield Row(
            f"job `{properties['Name']}` of Glue",
            f"always; begun anew in the maintenance window `{properties['MaintenanceWindow']}` (UTC)",
            properties["Description"] + ".",
            "No statement: 0.44 USD a DPU-hour, two workers of a quarter DPU at least, about 5.28 USD a day.",
            "subscribers of `AlertsTopicArn`, by CloudWatch's alarms `StreamingLags` and `StreamingStands`",
        )


def _iot_rule(it: Found) -> Iterator[Row]:
    payload = it.properties["TopicRulePayload"]
    yield Row(
        f"IoT rule {_plain(it.name)}",
        "for each message",
        f"{payload.get('Description', 'Hands messages on to the stream').rstrip('.')}.",
        "No statement: AWS IoT bills each rule that fires and each action.",
        "`failed_check` of `nothing_was_given_up`, warning: what it cannot hand on lies in `RuleErrors`",
    )


def _firehose(it: Found) -> Iterator[Row]:
    hints = it.properties["ExtendedS3DestinationConfiguration"]["BufferingHints"]
    yield Row(
        "Firehose",
        f"when {hints['SizeInMBs']} MiB or {hints['IntervalInSeconds']} s are full",
        "Writes the stream's messages into the raw zone.",
        "No statement: by the gigabyte, each record rounded up to 5 KB.",
        "`failed_check` of `nothing_was_given_up`, warning; `stale_asset` of `raw_telemetry`",
    )


def _queue(it: Found) -> Iterator[Row]:
    days = it.properties["MessageRetentionPeriod"] // 86_400
    yield Row(
        f"queue {_plain(it.name)}",
        "continuously, by SQS",
        f"Drops messages that nobody has taken for {days} days.",
        "Nothing.",
        _NOBODY,
    )


def _table(it: Found) -> Iterator[Row]:
    ttl = it.properties.get("TimeToLiveSpecification")
    if ttl is not None and ttl["Enabled"]:
        yield Row(
            f"table `{it.properties['TableName']}`",
            "within days of the moment, by DynamoDB",
            f"Removes items whose `{ttl['AttributeName']}` has passed.",
            "Nothing: DynamoDB does not bill these.",
            _NOBODY,
        )


def _log_group(it: Found) -> Iterator[Row]:
    days = it.properties.get("RetentionInDays")
    if days is not None:
        does = f"Drops what is older than {days} days."
        yield Row(f"log group {_plain(it.name)}", "once a day, by CloudWatch", does, "Nothing.", _NOBODY)


def _key(it: Found) -> Iterator[Row]:
    if it.properties.get("EnableKeyRotation"):
        does = "Makes new key material; what was encrypted before stays readable."
        cost = "No statement: KMS bills the first two rotations of a key by the month."
        yield Row(f"key {_plain(it.name)} of {it.stack}", "once a year, by KMS", does, cost, _NOBODY)


def _aurora(it: Found) -> Iterator[Row]:
    properties = it.properties
    scaling = properties["ServerlessV2ScalingConfiguration"]
    whose = "Dagster's database" if it.stack.endswith("OrchestrationData") else "the registry"
    yield Row(
        f"{whose}: backups and capacity",
        "a backup a day, capacity by load, the password every 7 days, by RDS",
        f"Keeps backups for {properties['BackupRetentionPeriod']} days; has {scaling['MinCapacity']} to "
        f"{scaling['MaxCapacity']} capacity units.",
        f"0.12 USD a capacity unit and hour (field notes, 2026-03): at least {scaling['MinCapacity'] * 0.12 * 24:.2f} "
        "USD a day while anything asks it once a minute.",
        _NOBODY,
    )


def _namespace(_: Found) -> Iterator[Row]:
    does = "Puts another password into the administrator's secret."
    cost = "No statement: Secrets Manager bills a secret by the month."
    yield Row("rotation of the warehouse's password", "every 30 days, by Redshift", does, cost, _NOBODY)


def _service(it: Found) -> Iterator[Row]:
    count = it.properties.get("DesiredCount", 1)
    does = f"Keeps {count} task{'s' * (count != 1)} running; a deployment that fails is rolled back."
    cost = "No statement: Fargate bills vCPU and memory by the second (prices: `make cost`)."
    yield Row(f"service {_plain(it.name)} of {it.stack}", "always, by ECS", does, cost, _SERVICES)


def _scaling(it: Found) -> Iterator[Row]:
    wanted = it.properties["TargetTrackingScalingPolicyConfiguration"]
    metric = wanted["PredefinedMetricSpecification"]["PredefinedMetricType"]
    does = f"Adds and removes tasks so that `{metric}` stays near {wanted['TargetValue']}."
    name = f"scaling policy {_plain(it.name)}"
    yield Row(name, "as load changes, by Application Auto Scaling", does, "Nothing: the tasks are billed.", _NOBODY)


def _repository(it: Found) -> Iterator[Row]:
    rules = json.loads(it.properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    does = "; ".join(rule["description"] for rule in rules) + ", and scans each that is pushed."
    name = f"repository `{it.properties['RepositoryName']}`"
    yield Row(name, "within 24 hours, by ECR", does, "Nothing: what is stored is billed by the gigabyte.", _NOBODY)


def _certificate(it: Found) -> Iterator[Row]:
    does = "Renews the certificate 60 days before it ends, as long as its record stands in the zone."
    yield Row(f"certificate {_plain(it.name)}", "once in 13 months, by ACM", does, "Nothing.", _NOBODY)


def _trail(it: Found) -> Iterator[Row]:
    does = "Records every read and write of raw, curated, the book of removals and failed records, in the audit bucket."
    cost = "No statement: CloudTrail bills data events by the 100,000."
    yield Row(f"trail `{it.properties['TrailName']}`", "at each call, delivered every few minutes", does, cost, _NOBODY)


def _scheduler(it: Found) -> Iterator[Row]:
    properties = it.properties
    yield Row(
        f"schedule `{properties['Name']}` of EventBridge",
        properties["ScheduleExpression"],
        properties["Description"] + ".",
        "No statement: Redshift bills what is stored of snapshots by the gigabyte.",
        "subscribers of `AlertsTopicArn`, by CloudWatch's alarm `SnapshotFails`",
    )


def _usage_limit(_: Found) -> Iterator[Row]:
    yield Row(
        "the warehouse's daily limit",
        "at any time of a day (UTC)",
        "Refuses queries when the day's RPU-hours are used up (`warehouse_rpu_hours_a_day`).",
        "Nothing: it caps what the warehouse costs.",
        "`failed_run`, warning, critical after an hour: loads and models fail until midnight",
    )


def _plain(name: str) -> str:
    """A logical id without its stack and its hash."""
    logical = name.partition(".")[2]
    return f"`{logical[:-8] if len(logical) > 8 and _is_hash(logical[-8:]) else logical}`"


def _is_hash(text: str) -> bool:
    return all(letter in "0123456789ABCDEF" for letter in text)


_ROWS: Mapping[str, Callable[[Found], Iterator[Row]]] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling,
    "AWS::CertificateManager::Certificate": _certificate,
    "AWS::ECR::Repository": _repository,
    "AWS::ECS::Service": _service,
    "AWS::CloudTrail::Trail": _trail,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::Glue::Crawler": _crawler,
    "AWS::Glue::Job": _job,
    "AWS::Glue::Trigger": _trigger,
    "AWS::IoT::TopicRule": _iot_rule,
    "AWS::KMS::Key": _key,
    "AWS::KinesisFirehose::DeliveryStream": _firehose,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::RDS::DBCluster": _aurora,
    "AWS::RedshiftServerless::Namespace": _namespace,
    "AWS::S3::Bucket": _lifecycle,
    "AWS::SQS::Queue": _queue,
    "AWS::Scheduler::Schedule": _scheduler,
    "Custom::RedshiftUsageLimit": _usage_limit,
}
