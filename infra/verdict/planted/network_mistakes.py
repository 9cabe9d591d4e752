"""Mistakes in logs and in the network."""

from collections.abc import Callable
from typing import Any

from infra.verdict.planted.mistake import Body, Mistake, setting, without

_BUCKET = "AWS::S3::Bucket"
_CLUSTER = "AWS::RDS::DBCluster"
_NAMESPACE = "AWS::RedshiftServerless::Namespace"
_GROUP = "AWS::EC2::SecurityGroup"
_FUNCTION = "AWS::Lambda::Function"
_ANYWHERE = "0.0.0.0/0"


def _admits(direction: str, **rule: Any) -> Callable[[Body], bool]:
    def plant(body: Body) -> bool:
        body["Properties"].setdefault(f"SecurityGroup{direction}", []).append(rule)
        return True

    return plant


def _gone(body: Body) -> bool:
    """The resource is another, of a type that does nothing."""
    body.update(Type="AWS::CloudFormation::WaitConditionHandle", Properties={})
    return True


MISTAKES = (
    Mistake(
        "a log group that never expires", "log_groups_have_an_end", ("AWS::Logs::LogGroup",), without("RetentionInDays")
    ),
    Mistake("a function that logs for ever", "log_groups_are_declared", (_FUNCTION,), without("LoggingConfig")),
    Mistake(
        "a flow log that AWS names",
        "log_groups_are_declared",
        ("AWS::EC2::FlowLog",),
        setting("/flows", "LogGroupName"),
    ),
    Mistake(
        "a registry without logs", "warehouses_and_registries_log", (_CLUSTER,), without("EnableCloudwatchLogsExports")
    ),
    Mistake("a warehouse without an audit", "warehouses_and_registries_log", (_NAMESPACE,), without("LogExports")),
    Mistake("a bucket without access logs", "buckets_log_their_requests", (_BUCKET,), without("LoggingConfiguration")),
    Mistake(
        "a group that admits the internet",
        "nothing_comes_in_from_anywhere",
        (_GROUP,),
        _admits("Ingress", CidrIp=_ANYWHERE, IpProtocol="tcp", FromPort=5432, ToPort=5432),
    ),
    Mistake(
        "a group that admits half of the internet",
        "nothing_comes_in_from_anywhere",
        (_GROUP,),
        _admits("Ingress", CidrIp="128.0.0.0/1", IpProtocol="tcp", FromPort=5439, ToPort=5439),
    ),
    Mistake(
        "a group that admits the internet by IPv6",
        "nothing_comes_in_from_anywhere",
        (_GROUP,),
        _admits("Ingress", CidrIpv6="::/0", IpProtocol="-1"),
    ),
    Mistake(
        "a rule that admits the internet",
        "nothing_comes_in_from_anywhere",
        ("AWS::EC2::SecurityGroupIngress",),
        setting(_ANYWHERE, "CidrIp"),
    ),
    Mistake("a group that lets everything out", "what_leaves_is_named", (_GROUP,), without("SecurityGroupEgress")),
    Mistake(
        "a group that lets every port out",
        "what_leaves_is_named",
        (_GROUP,),
        _admits("Egress", CidrIp=_ANYWHERE, IpProtocol="-1"),
    ),
    Mistake(
        "an endpoint with the default policy",
        "endpoints_have_policies",
        ("AWS::EC2::VPCEndpoint",),
        without("PolicyDocument"),
    ),
    Mistake("a missing endpoint", "called_services_have_endpoints", ("AWS::EC2::VPCEndpoint",), _gone),
    Mistake("a network without flow logs", "flows_are_logged", ("AWS::EC2::FlowLog",), _gone),
    Mistake(
        "a subnet with public addresses",
        "nothing_has_a_public_address",
        ("AWS::EC2::Subnet",),
        setting(True, "MapPublicIpOnLaunch"),
    ),
    Mistake(
        "a task with a public address",
        "nothing_has_a_public_address",
        ("AWS::ECS::Service",),
        setting("ENABLED", "NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp"),
    ),
)
