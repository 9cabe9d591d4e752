"""Findings of cdk-nag and cfn-lint that we accept, each with its reason."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def accept(scope: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding (`Rule` or `Rule[Finding]`) for a construct and what is below it."""
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def accept_wildcards(role: iam.Role, resources: list[str], reason: str) -> None:
    """Accept that a role's policy ends these resources with `*`; wildcards elsewhere stay findings."""
    for resource in resources:
        accept(role, f"AwsSolutions-IAM5[Resource::{resource}]", reason)


def accept_role_dependency(function: IConstruct) -> None:
    """Accept W3005 for a Lambda function: the construct lets it depend on its role, to which it refers anyway."""
    resource = function.node.default_child
    if not isinstance(resource, cdk.CfnResource):
        raise TypeError(f"{function.node.path} holds {type(resource).__name__}, expected the function's CfnResource")
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})
