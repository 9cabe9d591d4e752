"""Mistakes in functions, containers and builds, in alarms, tags and quotas."""

from infra.verdict.planted.mistake import Body, Mistake, setting, without

_FUNCTION = "AWS::Lambda::Function"
_ROLE = "AWS::IAM::Role"
_QUOTAS = "quotas_are_kept"


def _long(characters: int) -> Body:
    """A policy document of more characters than these."""
    return {"Statement": [{"Effect": "Deny", "Action": "iot:Connect", "Resource": "x" * characters}]}


MISTAKES = (
    Mistake("an old runtime of Python", "runtimes_are_patched", (_FUNCTION,), setting("python3.8", "Runtime")),
    Mistake("an old runtime of Node", "runtimes_are_patched", (_FUNCTION,), setting("nodejs16.x", "Runtime")),
    Mistake("a function without a bound", "functions_are_bounded", (_FUNCTION,), without("Timeout")),
    Mistake(
        "a container that writes its root",
        "containers_are_confined",
        adds={"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Name": "dagster"}]}},
    ),
    Mistake(
        "an image tag that moves",
        "containers_are_confined",
        adds={"Type": "AWS::ECR::Repository", "Properties": {"ImageTagMutability": "MUTABLE"}},
    ),
    Mistake(
        "a privileged build",
        "builds_are_not_privileged",
        adds={"Type": "AWS::CodeBuild::Project", "Properties": {"Environment": {"PrivilegedMode": True}}},
    ),
    Mistake("an alarm that tells nobody", "alarms_are_heard", ("AWS::CloudWatch::Alarm",), without("AlarmActions")),
    Mistake(
        "a function whose errors have no alarm",
        "functions_are_watched",
        ("AWS::CloudWatch::Alarm",),
        lambda body: body["Properties"].get("MetricName") == "Errors" and setting("Duration", "MetricName")(body),
    ),
    Mistake(
        "a job whose failed runs nobody is told of",
        "jobs_are_watched",
        ("AWS::Events::Rule",),
        lambda body: "FAILED" in str(body) and without("EventPattern", "detail", "jobName")(body),
    ),
    Mistake(
        "a job whose long runs nobody is told of",
        "jobs_are_watched",
        ("AWS::Glue::Job",),
        without("NotificationProperty"),
    ),
    Mistake(
        "a topic that is deaf to CloudWatch",
        "alarms_are_heard",
        ("AWS::SNS::TopicPolicy",),
        lambda body: "cloudwatch" in str(body) and setting([], "PolicyDocument", "Statement")(body),
    ),
    Mistake(
        "a topic's key that CloudWatch may not use",
        "publishers_may_encrypt",
        ("AWS::KMS::Key",),
        lambda body: "cloudwatch" in str(body) and setting([], "KeyPolicy", "Statement")(body),
    ),
    Mistake(
        "an IoT policy that is too long",
        _QUOTAS,
        ("AWS::IoT::Policy",),
        setting(_long(2_048), "PolicyDocument"),
    ),
    Mistake(
        "a role whose inline policies are too long",
        _QUOTAS,
        (_ROLE,),
        setting([{"PolicyName": "Long", "PolicyDocument": _long(10_240)}], "Policies"),
    ),
    Mistake(
        "a managed policy that is too long",
        _QUOTAS,
        ("AWS::IAM::ManagedPolicy",),
        setting(_long(6_144), "PolicyDocument"),
    ),
    Mistake(
        "a role with too many managed policies",
        _QUOTAS,
        (_ROLE,),
        setting([f"arn:aws:iam::aws:policy/service-role/P{number}" for number in range(11)], "ManagedPolicyArns"),
    ),
    Mistake(
        "more concurrency than an account has",
        _QUOTAS,
        (_FUNCTION,),
        setting(1000, "ReservedConcurrentExecutions"),
    ),
)
