"""The roles of Dagster's tasks on the local AWS, from the templates that AWS gets."""

import json
import re
from dataclasses import dataclass
from typing import Any

import boto3
from rich.console import Console

from infra.local.deploy.prune import prune
from infra.local.deploy.stacks import deploy_stack, templates
from infra.local.deploy.synth import synthesise
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import Platform
from infra.stacks.config import PlatformConfig
from infra.stacks.environments import from_process
from infra.stacks.services.places import REGISTRY_READER, REGISTRY_WRITER, WAREHOUSE_PIPELINE

# What the local AWS has of the two stacks; a database, a load balancer and Cognito's pool are not needed for roles.
_TYPES = ("AWS::IAM::", "AWS::Logs::LogGroup", "AWS::KMS::", "AWS::S3::", "AWS::SSM::Parameter")
# By which Fargate fetches images: nobody acts as they do here, and with them the template is longer than the 51,200
# bytes that CloudFormation takes in a request (CloudFormation guide, "Understand CloudFormation quotas").
_FARGATES = re.compile("(?!Run).*ExecutionRole")
_DATABASE_ID = "cluster-LOCAL"


@dataclass(frozen=True)
class Orchestration:
    """The stack of Dagster: `roles` are the roles' names by the names of their constructs (`RunRole`)."""

    config: PlatformConfig
    template: dict[str, Any]
    roles: dict[str, str]

    def role_arn(self, construct: str) -> str:
        """The ARN of a role."""
        found: str = boto3.client("iam").get_role(RoleName=self.roles[construct])["Role"]["Arn"]
        return found

    def family(self, process: str) -> str:
        """The family of a process's task definitions."""
        return f"{self.config.name}-dagster-{process}"

    def arn(self, resource: str) -> str:
        """An ARN of ECS."""
        return f"arn:aws:ecs:{self.config.region}:{self.config.account}:{resource}"

    def statements(self, construct: str) -> tuple[str, dict[str, Any]]:
        """The name and the document of a role's inline policy, of which it has one."""
        iam, name = boto3.client("iam"), self.roles[construct]
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document: Any = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        return policy, document

    def put_statements(self, construct: str, policy: str, document: dict[str, Any]) -> None:
        """Put a role's inline policy."""
        text = json.dumps(document)
        boto3.client("iam").put_role_policy(RoleName=self.roles[construct], PolicyName=policy, PolicyDocument=text)


def deploy_orchestration(platform: Platform, console: Console) -> Orchestration:
    """Deploy the roles, the log groups and the bucket of what runs print, and put the databases' passwords into
    their secrets, as the administrator does.
    """
    config = from_process()
    found = templates(synthesise(CHECKOUT / ".local", config.name))
    cloudformation, s3 = boto3.client("cloudformation"), boto3.client("s3")
    name = config.stack("Orchestration")
    parameter = f"/{config.name}/dagster-database-id"
    boto3.client("ssm").put_parameter(Name=parameter, Value=_DATABASE_ID, Type="String")
    for stack in (config.stack("OrchestrationData"), name):
        template = found[stack]
        gone = {
            logical_id: "not served" for logical_id, one in template["Resources"].items() if _is_left(logical_id, one)
        }
        deployed = deploy_stack(cloudformation, s3, stack, prune(template, gone)[0])
        console.print(f"{stack}: {deployed.change}")
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    roles = {
        one["LogicalResourceId"][:-8]: one["PhysicalResourceId"]
        for one in resources
        if one["ResourceType"] == "AWS::IAM::Role"
    }
    _fill_secrets(platform, config)
    return Orchestration(config, found[name], roles)


def _is_left(logical_id: str, resource: dict[str, Any]) -> bool:
    """Whether a resource is left out: not served here, or what this test puts there itself."""
    named = str(resource.get("Properties", {}).get("Name", ""))
    served = resource["Type"].startswith(_TYPES) and not named.endswith("dagster-database-id")
    return not served or _FARGATES.match(logical_id) is not None


def _fill_secrets(platform: Platform, config: PlatformConfig) -> None:
    assert platform.redshift is not None
    secrets = boto3.client("secretsmanager")
    there = {one["Name"] for page in secrets.get_paginator("list_secrets").paginate() for one in page["SecretList"]}
    passwords = {
        REGISTRY_READER: platform.postgres.password,
        REGISTRY_WRITER: platform.postgres.password,
        WAREHOUSE_PIPELINE: platform.redshift.password,
    }
    for user, password in passwords.items():
        name, text = config.database_secret(user), json.dumps({"username": user, "password": password})
        if name in there:
            secrets.put_secret_value(SecretId=name, SecretString=text)
        else:
            secrets.create_secret(Name=name, SecretString=text)
