"""An alarm is heard: it has a topic, the topic lets CloudWatch in, and so does the topic's key."""

from infra.stacks.checks.documents import Statement, actions, allows, principals
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, reference

_CLOUDWATCH = "cloudwatch.amazonaws.com"
_CLOUDTRAIL = "cloudtrail.amazonaws.com"
_DECRYPT, _DATA_KEY = "kms:Decrypt", "kms:GenerateDataKey"


def alarms_are_heard(environment: Synthesised) -> Problems:
    """SNS guide, "Enable compatibility between event sources from AWS services and encrypted topics".

    A topic or key that does not let CloudWatch in drops every alarm, and nothing says so.
    """
    for alarm in environment.of_type("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        told = listed(alarm.properties.get("AlarmActions"))
        if not told or alarm.properties.get("ActionsEnabled") is False:
            yield alarm, "tells nobody (AlarmActions)"
        for topic in filter(None, (environment.target(alarm.stack, action) for action in told)):
            if topic.type == "AWS::SNS::Topic":
                yield from ((topic, problem) for problem in _deaf(environment, topic, _CLOUDWATCH))


def publishers_may_encrypt(environment: Synthesised) -> Problems:
    """A service that a topic lets publish is let in by the topic's key as well."""
    for policy in environment.of_type("AWS::SNS::TopicPolicy"):
        services = {
            name
            for statement in allows(policy.properties["PolicyDocument"])
            for kind, name in principals(statement)
            if kind == "Service"
        }
        for topic in filter(None, (environment.target(policy.stack, t) for t in listed(policy.properties["Topics"]))):
            key = environment.target(topic.stack, topic.properties.get("KmsMasterKeyId"))
            for service in sorted(services):
                if key is not None and not _key_lets_in(key, service, {_DECRYPT, _DATA_KEY}):
                    yield key, f"does not let {service} encrypt for the topic {topic.name}"


def trails_can_be_written(environment: Synthesised) -> Problems:
    """CloudTrail guide, "Amazon S3 bucket policy for CloudTrail", "Configure AWS KMS key policies for CloudTrail"."""
    for trail in environment.of_type("AWS::CloudTrail::Trail"):
        key = environment.target(trail.stack, trail.properties.get("KMSKeyId"))
        if key is not None and not _key_lets_in(key, _CLOUDTRAIL, {_DATA_KEY}):
            yield key, f"does not let {_CLOUDTRAIL} encrypt: the trail {trail.name} would be refused"
        bucket = environment.target(trail.stack, trail.properties["S3BucketName"])
        if bucket is not None and not _bucket_takes(environment, bucket):
            yield bucket, f"does not let {_CLOUDTRAIL} write: the trail {trail.name} would be refused"


def _deaf(environment: Synthesised, topic: Resource, service: str) -> list[str]:
    policies = [
        statement
        for policy in environment.of_type("AWS::SNS::TopicPolicy")
        if policy.stack == topic.stack and topic.name in map(reference, listed(policy.properties["Topics"]))
        for statement in allows(policy.properties["PolicyDocument"])
    ]
    problems = []
    if not any(_lets_in(s, service, {"sns:Publish"}) for s in policies):
        problems.append(f"no policy of the topic lets {service} publish: alarms are lost")
    return problems


def _bucket_takes(environment: Synthesised, bucket: Resource) -> bool:
    statements = [
        statement
        for policy in environment.of_type("AWS::S3::BucketPolicy")
        if policy.stack == bucket.stack and reference(policy.properties["Bucket"]) == bucket.name
        for statement in allows(policy.properties["PolicyDocument"])
    ]
    wanted = ({"s3:GetBucketAcl"}, {"s3:PutObject"})
    return all(any(_lets_in(s, _CLOUDTRAIL, want) for s in statements) for want in wanted)


def _key_lets_in(key: Resource, service: str, wanted: set[str]) -> bool:
    statements = allows(key.properties["KeyPolicy"])
    return all(any(_lets_in(s, service, {action}) for s in statements) for action in wanted)


def _lets_in(statement: Statement, service: str, wanted: set[str]) -> bool:
    named = {action.rstrip("*") for action in actions(statement)}
    # A whole family of calls is written with a star at its end.
    return ("Service", service) in set(principals(statement)) and wanted <= named
