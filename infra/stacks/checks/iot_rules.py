"""The rules: every message of the contract's topic becomes one line, with the identity that the broker knows."""

import re

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised, listed
from infra.stacks.ingest.direct import OBJECT_KEY
from iot_pipeline.contract import topic_filter
from iot_pipeline.contract.envelope import ADDED

_FROM = re.compile(r"\bFROM '([^']*)'")
_WHERE = re.compile(r"\bWHERE (NOT )?isUndefined\(readings\)$")


def iot_rule_has_error_action(environment: Synthesised) -> Problems:
    """A message whose action fails is gone, unless the rule has an error action."""
    for rule in environment.of_type("AWS::IoT::TopicRule"):
        if not rule.properties["TopicRulePayload"].get("ErrorAction"):
            yield rule, "has no ErrorAction: a message that its action cannot deliver is lost"


def rules_read_the_contract_s_topic(environment: Synthesised) -> Problems:
    """Of all telemetry, whole, with tenant, site and device as the topic has them, and never as the payload says."""
    expected = topic_filter(environment.config.topic_root)
    for rule in environment.of_type("AWS::IoT::TopicRule"):
        payload = rule.properties["TopicRulePayload"]
        sql = str(payload["Sql"])
        source = _FROM.search(sql)
        if source is None or source[1] != expected:
            yield rule, f"reads {source and source[1]!r}: expected {expected!r}"
        for field in ADDED:
            if f"{field.source} AS {field.name}" not in sql:
                yield rule, f"does not add {field.source} AS {field.name}"
        if not _WHERE.search(sql):
            yield rule, "its condition is neither isUndefined(readings) nor its negation: messages are lost or doubled"
        if payload.get("RuleDisabled") is not False:
            yield rule, "is disabled, or does not say that it is not"
        if payload.get("AwsIotSqlVersion") != "2016-03-23":
            yield rule, "its SQL version is not 2016-03-23, in which arrays stay arrays"


def every_message_has_one_rule(environment: Synthesised) -> Problems:
    """One rule for messages with readings, one for all others: none is left, none taken twice."""
    rules = list(environment.of_type("AWS::IoT::TopicRule"))
    conditions = [
        bool(found[1]) for rule in rules if (found := _WHERE.search(str(rule.properties["TopicRulePayload"]["Sql"])))
    ]
    if rules and sorted(conditions) != [False, True]:
        yield rules[0], f"there are {len(rules)} rules, and not one for each of the two conditions"


def rules_write_the_raw_zone(environment: Synthesised) -> Problems:
    """A rule that writes to S3 itself gives each message an object of its own, in the folder of its arrival hour."""
    for rule in environment.of_type("AWS::IoT::TopicRule"):
        for action in listed(rule.properties["TopicRulePayload"]["Actions"]):
            to = action.get("S3")
            if to and (to.get("BucketName"), to.get("Key")) != (environment.config.lake_bucket, OBJECT_KEY):
                yield rule, f"writes {to.get('BucketName')}/{to.get('Key')}: expected {OBJECT_KEY} of the lake"


def a_device_stays_on_one_shard(environment: Synthesised) -> Problems:
    """Its messages stay in order (Kinesis guide, "Partition key")."""
    for rule in environment.of_type("AWS::IoT::TopicRule"):
        for action in listed(rule.properties["TopicRulePayload"]["Actions"]):
            key = action.get("Kinesis", {}).get("PartitionKey", "${topic(4)}")
            if key != "${topic(4)}":
                yield rule, f"spreads a device's messages by {key}: expected ${{topic(4)}}, the device"
