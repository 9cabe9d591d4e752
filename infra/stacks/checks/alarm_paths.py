"""What fails is heard of: functions and jobs are watched, and alarms have a topic that takes what CloudWatch says."""

from infra.stacks.checks.documents import Statement, actions, allows, principals
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, reference, text
from infra.stacks.glue_runs import RUN_STATUS, STATE_CHANGE

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
            if topic.type == "AWS::SNS::Topic" and not _hears(environment, topic):
                yield topic, f"no policy of the topic lets {_CLOUDWATCH} publish: alarms are lost"


def functions_are_watched(environment: Synthesised) -> Problems:
    """A function that fails tells people: an alarm on its `Errors` (AWS Lambda guide, "Types of metrics for Lambda
    functions"). Those of custom resources run in deployments alone, which fail with them.
    """
    watched = {
        (alarm.stack, reference(each["Value"]))
        for alarm in environment.of_type("AWS::CloudWatch::Alarm")
        if alarm.properties.get("Namespace") == "AWS/Lambda" and alarm.properties.get("MetricName") == "Errors"
        for each in listed(alarm.properties.get("Dimensions"))
        if each["Name"] == "FunctionName"
    }
    custom = {
        (resource.stack, reference(resource.properties.get("ServiceToken")))
        for resource in environment.resources
        if resource.type.startswith("Custom::")
    }
    for function in environment.of_type("AWS::Lambda::Function"):
        names = {(function.stack, function.name), (function.stack, str(function.properties.get("FunctionName")))}
        if not names & (watched | custom):
            yield function, "fails unseen: no alarm of its stack is on its Errors"


def jobs_are_watched(environment: Synthesised) -> Problems:
    """A run of a Glue job that fails tells people: a rule on its events (AWS Glue guide, "Automating AWS Glue with
    EventBridge"). One whose length nobody is told of is billed until its time-out.
    """
    told: dict[str, set[str]] = {}
    for rule in environment.of_type("AWS::Events::Rule"):
        pattern = rule.properties.get("EventPattern", {})
        if rule.properties.get("Targets") and rule.properties.get("State") != "DISABLED":
            for name in map(text, listed(pattern.get("detail", {}).get("jobName"))):
                told.setdefault(name, set()).update(listed(pattern.get("detail-type")))
    for job in environment.of_type("AWS::Glue::Job"):
        kinds = told.get(text(job.properties.get("Name")), set())
        if STATE_CHANGE not in kinds:
            yield job, f"fails unseen: no rule is on its events, {STATE_CHANGE}"
        ends = job.properties["Command"]["Name"] != "gluestreaming"
        if ends and not (job.properties.get("NotificationProperty") and RUN_STATUS in kinds):
            yield job, f"runs on unseen: no NotificationProperty, or no rule is on its events, {RUN_STATUS}"


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


def _hears(environment: Synthesised, topic: Resource) -> bool:
    statements = _policy_of(environment, topic, "AWS::SNS::TopicPolicy", "Topics")
    return _let_in(statements, _CLOUDWATCH, {"sns:Publish"})


def _bucket_takes(environment: Synthesised, bucket: Resource) -> bool:
    statements = _policy_of(environment, bucket, "AWS::S3::BucketPolicy", "Bucket")
    return _let_in(statements, _CLOUDTRAIL, {"s3:GetBucketAcl", "s3:PutObject"})


def _key_lets_in(key: Resource, service: str, wanted: set[str]) -> bool:
    return _let_in(allows(key.properties["KeyPolicy"]), service, wanted)


def _policy_of(environment: Synthesised, resource: Resource, policy_type: str, targets: str) -> list[Statement]:
    """What the policies of a resource allow that name it in one of their properties."""
    return [
        statement
        for policy in environment.of_type(policy_type)
        if policy.stack == resource.stack and resource.name in map(reference, listed(policy.properties[targets]))
        for statement in allows(policy.properties["PolicyDocument"])
    ]


def _let_in(statements: list[Statement], service: str, wanted: set[str]) -> bool:
    """Whether a service may do all that is wanted, by one statement or by several."""
    # A whole family of calls is written with a star at its end.
    named = {
        action.rstrip("*")
        for statement in statements
        if ("Service", service) in principals(statement)
        for action in actions(statement)
    }
    return wanted <= named
