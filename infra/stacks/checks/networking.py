"""The private network: nothing comes in from the internet, and what leaves goes to AWS's endpoints."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from infra.stacks.checks.documents import allows
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, reference, text, walk

_HTTPS = 443
_SECURITY_GROUP = "AWS::EC2::SecurityGroup"
# What the databases' clients call from the isolated subnets: the lake, and the databases' credentials.
_CALLED = frozenset({"s3", "secretsmanager"})
# What a task on Fargate calls besides: Dagster's builds, sensors and alerts; its image; its log (Amazon ECS guide,
# "Amazon ECS interface VPC endpoints"; Amazon ECR guide, "Amazon ECR interface VPC endpoints").
_CALLED_BY_TASKS = frozenset({"athena", "dynamodb", "ecr.api", "ecr.dkr", "glue", "logs", "sns", "sqs"})
# And those of a replay of dead letters, of an erasure, and of the run launcher.
_CALLED_BY_TASKS |= {"ecs", "iot.api", "kinesis-streams", "lambda", "monitoring"}
_ALL = ("0.0.0.0/0", "::/0")
_EVERYBODY_S = ("aws:PrincipalAccount", "aws:ResourceAccount", "aws:PrincipalOrgID")


def nothing_comes_in_from_anywhere(environment: Synthesised) -> Problems:
    """No security group admits the whole internet; a load balancer that must, says why where it is."""
    for group, rule in _rules(environment, "Ingress"):
        if _anywhere(rule):
            yield group, f"admits {_anywhere(rule)} on {_ports(rule)}"


def what_leaves_is_named(environment: Synthesised) -> Problems:
    """Out of the subnets goes HTTPS, or a named port to a named group; a group without rules allows everything."""
    for group, rule in _rules(environment, "Egress"):
        if _anywhere(rule) and (rule.get("IpProtocol"), rule.get("FromPort"), rule.get("ToPort")) != (
            "tcp",
            _HTTPS,
            _HTTPS,
        ):
            yield group, f"lets everything out to {_anywhere(rule)} on {_ports(rule)}"
    for group in environment.of_type(_SECURITY_GROUP):
        if "SecurityGroupEgress" not in group.properties:
            yield group, "has no SecurityGroupEgress, for which EC2 allows everything out"


def endpoints_have_policies(environment: Synthesised) -> Problems:
    """An endpoint's default policy lets any credentials through to anybody's resources: a way to carry data out.

    Amazon VPC guide, "Control access to VPC endpoints using endpoint policies".
    """
    for endpoint in environment.of_type("AWS::EC2::VPCEndpoint"):
        document = endpoint.properties.get("PolicyDocument")
        if not document:
            yield endpoint, "has the default policy: any principal, any resource"
            continue
        for statement in allows(document):
            asked = {key for condition in statement.get("Condition", {}).values() for key in condition}
            one_service = all(r != "*" for r in map(text, listed(statement.get("Resource"))))
            if not asked & set(_EVERYBODY_S) and not one_service:
                yield endpoint, "allows any principal on any resource: ask for aws:PrincipalAccount"


def called_services_have_endpoints(environment: Synthesised) -> Problems:
    """Isolated subnets reach by their endpoints what they call, or not at all."""
    if not _isolated_subnets(environment):
        return
    needed = _CALLED | (_CALLED_BY_TASKS if any(environment.of_type("AWS::ECS::Service")) else frozenset())
    for vpc in environment.of_type("AWS::EC2::VPC"):
        there = {
            text(e.properties["ServiceName"]).split(".", maxsplit=3)[-1]
            for e in environment.of_type("AWS::EC2::VPCEndpoint")
        }
        there = {re.sub(r"^\$\{AWS::Region\}\.", "", name) for name in there}
        for service in sorted(needed - there):
            yield vpc, f"has no endpoint for {service}, and no other way to it"


def flows_are_logged(environment: Synthesised) -> Problems:
    """What was refused can be looked up afterwards."""
    logged = {(f.stack, text(f.properties["ResourceId"])) for f in environment.of_type("AWS::EC2::FlowLog")}
    for vpc in environment.of_type("AWS::EC2::VPC"):
        if (vpc.stack, f"${{{vpc.name}}}") not in logged:
            yield vpc, "has no flow log"


def nothing_has_a_public_address(environment: Synthesised) -> Problems:
    """No subnet, task or instance is given an address of the internet."""
    for resource in environment.resources:
        for path, value in walk(resource.properties):
            if path[-1:] in (("MapPublicIpOnLaunch",), ("AssociatePublicIpAddress",)) and value is True:
                yield resource, f"{path[-1]} is on"
            if path[-1:] == ("AssignPublicIp",) and value == "ENABLED":
                yield resource, "AssignPublicIp is ENABLED"


def _isolated_subnets(environment: Synthesised) -> set[tuple[str, str]]:
    """The subnets whose route tables lead nowhere beyond the VPC, by stack and name."""
    leading_out = {
        (route.stack, reference(route.properties["RouteTableId"]))
        for route in environment.of_type("AWS::EC2::Route")
        if {route.properties.get("DestinationCidrBlock"), route.properties.get("DestinationIpv6CidrBlock")} & set(_ALL)
    }
    with_a_way = {
        (joined.stack, reference(joined.properties["SubnetId"]))
        for joined in environment.of_type("AWS::EC2::SubnetRouteTableAssociation")
        if (joined.stack, reference(joined.properties["RouteTableId"])) in leading_out
    }
    return {(subnet.stack, subnet.name) for subnet in environment.of_type("AWS::EC2::Subnet")} - with_a_way


def _rules(environment: Synthesised, direction: str) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    for group in environment.of_type(_SECURITY_GROUP):
        yield from ((group, rule) for rule in listed(group.properties.get(f"SecurityGroup{direction}")))
    for rule in environment.of_type(f"AWS::EC2::SecurityGroup{direction}"):
        yield rule, rule.properties


def _anywhere(rule: Mapping[str, Any]) -> str:
    """The range of a rule that reaches beyond private networks, such as half of all addresses; empty if none does."""
    ranges = [text(rule[key]) for key in ("CidrIp", "CidrIpv6") if key in rule]
    return next((r for r in ranges if "$" not in r and not ip_network(r, strict=False).is_private), "")


def _ports(rule: Mapping[str, Any]) -> str:
    if str(rule.get("IpProtocol")) == "-1":
        return "every port"
    return f"{rule.get('IpProtocol')} {rule.get('FromPort')}-{rule.get('ToPort')}"
