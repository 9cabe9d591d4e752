"""Mistakes in what devices may do, and in how their messages are taken."""

import json
from collections.abc import Callable
from typing import Any

from infra.verdict.planted.mistake import Body, Mistake, each_statement, setting, stating, without

_BOUND, _POLICY = "iot_policy_is_bound_to_the_thing", "AWS::IoT::Policy"
_RULE, _PAYLOAD = "AWS::IoT::TopicRule", "TopicRulePayload"
_CONTRACT = "rules_read_the_contract_s_topic"
_TEMPLATE = "AWS::IoT::ProvisioningTemplate"
_STREAM, _TO_S3 = "AWS::KinesisFirehose::DeliveryStream", "ExtendedS3DestinationConfiguration"
_MAPPING = "AWS::Lambda::EventSourceMapping"
_IOT = "arn:aws:iot:eu-west-1:000000000000"


def _replaced(old: str, new: str) -> Callable[[Body], bool]:
    """In a statement's resources one text stands for another."""

    def change(statement: Body) -> bool:
        if old not in str(statement["Resource"]):
            return False
        whole = json.dumps(statement["Resource"]).replace(old, new)
        statement["Resource"] = json.loads(whole)
        return True

    return change


def _in_policy(old: str, new: str) -> Any:
    return each_statement("PolicyDocument", change=_replaced(old, new))


def _unattached(statement: Body) -> bool:
    return statement.pop("Condition", None) is not None


def _sql(old: str, new: str) -> Callable[[Body], bool]:
    def plant(body: Body) -> bool:
        payload = body["Properties"][_PAYLOAD]
        if old not in payload["Sql"]:
            return False
        payload["Sql"] = payload["Sql"].replace(old, new)
        return True

    return plant


def _body(change: Callable[[dict[str, Any]], Any]) -> Callable[[Body], bool]:
    """A change of a provisioning template's resources."""

    def plant(body: Body) -> bool:
        template = json.loads(body["Properties"]["TemplateBody"])
        change(template["Resources"])
        body["Properties"]["TemplateBody"] = json.dumps(template)
        return True

    return plant


def _partition_key(body: Body) -> bool:
    action = body["Properties"][_PAYLOAD]["Actions"][0]
    if "Kinesis" not in action:
        return False
    action["Kinesis"]["PartitionKey"] = "${newuuid()}"
    return True


def _object_key(body: Body) -> bool:
    action = body["Properties"][_PAYLOAD]["Actions"][0]
    if "S3" not in action:
        return False
    action["S3"]["Key"] = "raw/telemetry/${timestamp()}.json"
    return True


MISTAKES = (
    Mistake("a rule that writes beside the raw zone's hours", "rules_write_the_raw_zone", (_RULE,), _object_key),
    Mistake(
        "a device that publishes for every name that begins as its own",
        _BOUND,
        (_POLICY,),
        _in_policy("ThingName}/telemetry", "ThingName}*"),
    ),
    Mistake(
        "a device that connects under any name that begins as its own",
        _BOUND,
        (_POLICY,),
        _in_policy("client/${iot:Connection.Thing.ThingName}", "client/${iot:Connection.Thing.ThingName}*"),
    ),
    Mistake(
        "a device that publishes for every tenant",
        _BOUND,
        (_POLICY,),
        _in_policy("${iot:Connection.Thing.Attributes[tenant]}", "*"),
    ),
    Mistake(
        "a device that publishes for every site",
        _BOUND,
        (_POLICY,),
        _in_policy("${iot:Connection.Thing.Attributes[site]}", "+"),
    ),
    Mistake(
        "a device that names itself by its client id",
        _BOUND,
        (_POLICY,),
        _in_policy("${iot:Connection.Thing.ThingName}", "${iot:ClientId}"),
    ),
    Mistake(
        "a certificate that connects without a thing",
        _BOUND,
        (_POLICY,),
        each_statement("PolicyDocument", change=_unattached),
    ),
    Mistake(
        "a certificate that may do anything with IoT",
        _BOUND,
        (_POLICY,),
        stating("PolicyDocument", Action="iot:*", Resource="*"),
    ),
    Mistake(
        "a certificate that publishes everybody's telemetry",
        _BOUND,
        (_POLICY,),
        stating("PolicyDocument", Action="iot:Publish", Resource=f"{_IOT}:topic/dt/*"),
    ),
    Mistake(
        "a certificate that reads everybody's telemetry",
        _BOUND,
        (_POLICY,),
        stating("PolicyDocument", Action="iot:Subscribe", Resource=f"{_IOT}:topicfilter/dt/#"),
    ),
    Mistake(
        "a claim for every template of the account",
        _BOUND,
        (_POLICY,),
        _in_policy("provisioning-templates/telemetry-claim/provision/json", "provisioning-templates/*"),
    ),
    Mistake("a rule without an error action", "iot_rule_has_error_action", (_RULE,), without(_PAYLOAD, "ErrorAction")),
    Mistake("a rule on another topic", _CONTRACT, (_RULE,), _sql("/+/telemetry'", "/+/+/telemetry'")),
    Mistake("a rule that takes every topic", _CONTRACT, (_RULE,), _sql("dt/+/+/+/telemetry", "#")),
    Mistake(
        "a rule that believes the payload's tenant",
        _CONTRACT,
        (_RULE,),
        _sql("topic(2) AS iot_tenant", "tenant AS iot_tenant"),
    ),
    Mistake("a rule with levels exchanged", _CONTRACT, (_RULE,), _sql("topic(3) AS iot_site", "topic(2) AS iot_site")),
    Mistake("a rule that is disabled", _CONTRACT, (_RULE,), setting(True, _PAYLOAD, "RuleDisabled")),
    Mistake(
        "a rule that drops what has no readings",
        "every_message_has_one_rule",
        (_RULE,),
        _sql("WHERE isUndefined", "WHERE NOT isUndefined"),
    ),
    Mistake("a rule that spreads a device over the shards", "a_device_stays_on_one_shard", (_RULE,), _partition_key),
    Mistake("provisioning without a hook", "provisioning_asks_first", (_TEMPLATE,), without("PreProvisioningHook")),
    Mistake(
        "provisioning that overwrites an existing thing",
        "provisioning_asks_first",
        (_TEMPLATE,),
        _body(lambda resources: resources["thing"].pop("OverrideSettings")),
    ),
    Mistake(
        "provisioning that gives another policy",
        "provisioning_asks_first",
        (_TEMPLATE,),
        _body(lambda resources: resources["policy"]["Properties"].update(PolicyName="everything")),
    ),
    Mistake(
        "failed deliveries among the data",
        "firehose_has_error_prefix",
        (_STREAM,),
        setting("raw/telemetry/errors/", _TO_S3, "ErrorOutputPrefix"),
    ),
    Mistake("failed deliveries nowhere", "firehose_has_error_prefix", (_STREAM,), without(_TO_S3, "ErrorOutputPrefix")),
    Mistake(
        "objects of one endless line",
        "firehose_writes_the_raw_zone",
        (_STREAM,),
        without(_TO_S3, "ProcessingConfiguration"),
    ),
    Mistake(
        "objects in hours of local time",
        "firehose_writes_the_raw_zone",
        (_STREAM,),
        setting("Europe/Berlin", _TO_S3, "CustomTimeZone"),
    ),
    Mistake(
        "objects under days alone",
        "firehose_writes_the_raw_zone",
        (_STREAM,),
        setting("raw/telemetry/year=!{timestamp:yyyy}/", _TO_S3, "Prefix"),
    ),
    Mistake(
        "a delivery in another compression",
        "firehose_writes_the_raw_zone",
        (_STREAM,),
        setting("Snappy", _TO_S3, "CompressionFormat"),
    ),
    Mistake(
        "a delivery whose failures are not logged",
        "firehose_writes_the_raw_zone",
        (_STREAM,),
        setting(False, _TO_S3, "CloudWatchLoggingOptions", "Enabled"),
    ),
    Mistake(
        "a stream that keeps a day",
        "the_stream_outlasts_a_fault",
        ("AWS::Kinesis::Stream",),
        without("RetentionPeriodHours"),
    ),
    Mistake("records given up without a trace", "calls_that_fail_are_kept", (_MAPPING,), without("DestinationConfig")),
    Mistake(
        "records that are tried for ever", "calls_that_fail_are_kept", (_MAPPING,), setting(-1, "MaximumRetryAttempts")
    ),
    Mistake(
        "a schedule whose failed calls are gone",
        "calls_that_fail_are_kept",
        ("AWS::Events::Rule",),
        without("Targets", "0", "DeadLetterConfig"),
    ),
    Mistake(
        "raw objects that nobody hears of",
        "raw_objects_are_told_of",
        ("AWS::S3::Bucket",),
        without("NotificationConfiguration"),
    ),
    Mistake(
        "a queue without a dead-letter queue",
        "queue_has_dead_letter_queue",
        ("AWS::SQS::Queue",),
        without("RedrivePolicy"),
    ),
    Mistake(
        "a queue that drops messages after four days",
        "letters_wait_for_a_fortnight",
        ("AWS::SQS::Queue",),
        without("MessageRetentionPeriod"),
    ),
)
