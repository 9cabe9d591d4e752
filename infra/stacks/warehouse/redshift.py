"""The warehouse's database: Redshift Serverless, its limits, and the role by which it reads and writes the lake."""

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_redshiftserverless as redshift
from aws_cdk import custom_resources as cr

from infra.stacks.config import PlatformConfig
from infra.stacks.nag import accept_role_dependency, accept_wildcards
from infra.stacks.network.vpc import WAREHOUSE_PORT
from infra.stacks.statements import via
from infra.stacks.warehouse.published_network import Network
from iot_pipeline.contract import Tables
from iot_pipeline.contract.layout import REGISTRY, UNLOAD

DATABASE = "telemetry"
ADMIN = "warehouse_admin"
_ARN_PATH = "namespace.adminPasswordSecretArn"
_SERVICES = ("redshift", "redshift-serverless")
AUDIT_LOGS = ["userlog", "connectionlog", "useractivitylog"]
# The user activity log stays empty without the last (Redshift guide, "Audit logging for Amazon Redshift Serverless").
_PARAMETERS = {"require_ssl": "true", "enable_user_activity_logging": "true"}


@dataclass(frozen=True)
class Warehouse:
    """The namespace's workgroup, and the ARN of the administrator's secret."""

    workgroup: redshift.CfnWorkgroup
    secret_arn: str


def add_copy_role(stack: cdk.Stack, config: PlatformConfig, lake_key: kms.IKey, tables: Tables) -> iam.Role:
    """The role of COPY and UNLOAD: reads the curated zone, the history of the alerts and the registry's copies,
    writes below one prefix.

    Both service names are needed (Redshift guide, "Granting permissions to Amazon Redshift Serverless"); each takes on
    the role for this account and region alone ("Cross-service confused deputy prevention"). A workgroup's ARN ends with
    an id of AWS's making, and so cannot be named before there is one.
    """
    own = {
        "StringEquals": {"aws:SourceAccount": config.account},
        "ArnLike": {
            "aws:SourceArn": [
                f"arn:{stack.partition}:{service}:{config.region}:{config.account}:*" for service in _SERVICES
            ]
        },
    }
    role = iam.Role(
        stack,
        "CopyRole",
        description="COPY from the lake, UNLOAD to it",
        assumed_by=iam.CompositePrincipal(
            *(iam.ServicePrincipal(f"{name}.amazonaws.com", conditions=own) for name in _SERVICES)
        ),
    )
    bucket = config.bucket_arn(config.lake_bucket)
    read = [tables.curated_telemetry.prefix, tables.alert_history.prefix, REGISTRY]
    readable = [config.lake_objects(prefix) for prefix in (*read, UNLOAD)]
    writable = [config.lake_objects(UNLOAD)]
    statements = {
        "Locate": iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[bucket]),
        "List": iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket],
            conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in (*read, UNLOAD)]}},
        ),
        "Read": iam.PolicyStatement(actions=["s3:GetObject"], resources=readable),
        "Unload": iam.PolicyStatement(actions=["s3:PutObject", "s3:AbortMultipartUpload"], resources=writable),
        "Decrypt": via(stack, "s3", [lake_key.key_arn], "kms:Decrypt", "kms:GenerateDataKey"),
    }
    for sid, statement in statements.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_wildcards(role, readable, "COPY reads whole partitions, and UNLOAD names its objects itself")
    return role


def add_warehouse(
    stack: cdk.Stack, config: PlatformConfig, network: Network, key: kms.IKey, copy_role: iam.Role
) -> Warehouse:
    """A private namespace and workgroup that refuse clear text and stop at the day's limit.

    Redshift makes the administrator's password, keeps it in Secrets Manager and rotates it every 30 days (Redshift
    guide, "Managing Amazon Redshift admin passwords using AWS Secrets Manager").
    """
    namespace = redshift.CfnNamespace(
        stack,
        "Namespace",
        namespace_name=config.name,
        db_name=DATABASE,
        admin_username=ADMIN,
        manage_admin_password=True,
        admin_password_secret_kms_key_id=key.key_id,
        kms_key_id=key.key_id,
        iam_roles=[copy_role.role_arn],
        default_iam_role_arn=copy_role.role_arn,
        log_exports=AUDIT_LOGS,
    )
    namespace.apply_removal_policy(
        cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if config.deletion_protection else cdk.RemovalPolicy.DESTROY
    )
    for export in AUDIT_LOGS:
        namespace.node.add_dependency(_audit_log(stack, config, export))
    # Redshift tries the role when it is given it.
    namespace.node.add_dependency(copy_role.node.find_child("DefaultPolicy"))
    workgroup = redshift.CfnWorkgroup(
        stack,
        "Workgroup",
        workgroup_name=config.name,
        namespace_name=namespace.ref,
        base_capacity=config.warehouse_base_rpu,
        max_capacity=config.warehouse_max_rpu,
        config_parameters=[
            redshift.CfnWorkgroup.ConfigParameterProperty(parameter_key=name, parameter_value=value)
            for name, value in _PARAMETERS.items()
        ],
        enhanced_vpc_routing=True,
        publicly_accessible=False,
        port=WAREHOUSE_PORT,
        subnet_ids=[subnet.subnet_id for subnet in network.vpc.isolated_subnets],
        security_group_ids=[network.warehouse.security_group_id],
    )
    caller = _api_caller(stack)
    _usage_limit(stack, config, workgroup, caller)
    secret = _secret(stack, namespace, caller)
    singleton = f"AWS{cr.AwsCustomResource.PROVIDER_FUNCTION_UUID.replace('-', '')}"
    accept_role_dependency(stack.node.find_child(singleton))
    return Warehouse(workgroup, secret.get_response_field(_ARN_PATH))


def _audit_log(stack: cdk.Stack, config: PlatformConfig, export: str) -> logs.LogGroup:
    """A group by the name that Redshift writes to: one that it made itself would keep its events for ever.

    Redshift guide, "Audit logging for Amazon Redshift Serverless".
    """
    return logs.LogGroup(
        stack,
        f"WarehouseLog{export.capitalize()}",
        log_group_name=f"/aws/redshift/{config.name}/{export}",
        retention=logs.RetentionDays.THREE_MONTHS,
        # Not on creation: with its fixed name it would stand in the way of the next attempt.
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def _usage_limit(
    stack: cdk.Stack, config: PlatformConfig, workgroup: redshift.CfnWorkgroup, caller: iam.Role
) -> cr.AwsCustomResource:
    """The day's limit, set by the API: CloudFormation has no resource for it.

    `deactivate` refuses queries for the rest of the day (Redshift Serverless API, CreateUsageLimit).
    """
    limit = {"amount": config.warehouse_rpu_hours_a_day, "breachAction": "deactivate"}
    made = {"resourceArn": workgroup.attr_workgroup_workgroup_arn, "usageType": "serverless-compute", "period": "daily"}
    this = {"usageLimitId": cr.PhysicalResourceIdReference()}
    return cr.AwsCustomResource(
        stack,
        "UsageLimit",
        resource_type="Custom::RedshiftUsageLimit",
        role=caller,
        install_latest_aws_sdk=False,
        on_create=_call(
            "createUsageLimit", {**made, **limit}, cr.PhysicalResourceId.from_response("usageLimit.usageLimitId")
        ),
        on_update=_call("updateUsageLimit", {**this, **limit}),
        on_delete=_call("deleteUsageLimit", this),
    )


def _secret(stack: cdk.Stack, namespace: redshift.CfnNamespace, caller: iam.Role) -> cr.AwsCustomResource:
    """The namespace as the API describes it: its resource has no attribute for the administrator's secret."""
    found = _call("getNamespace", {"namespaceName": namespace.ref}, cr.PhysicalResourceId.of("namespace"), [_ARN_PATH])
    return cr.AwsCustomResource(
        stack,
        "AdminSecret",
        resource_type="Custom::RedshiftAdminSecret",
        role=caller,
        install_latest_aws_sdk=False,
        on_create=found,
        on_update=found,
    )


def _call(
    action: str, parameters: Any, physical_id: cr.PhysicalResourceId | None = None, paths: list[str] | None = None
) -> cr.AwsSdkCall:
    return cr.AwsSdkCall(
        service="RedshiftServerless",
        action=action,
        parameters=parameters,
        physical_resource_id=physical_id,
        output_paths=paths,
    )


def _api_caller(stack: cdk.Stack) -> iam.Role:
    """The role of the function that calls the API at deployment."""
    role = iam.Role(stack, "RedshiftApiRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    # The group is the construct's. Were Lambda let make it at the first call, the construct would find it in its way.
    groups = stack.format_arn(service="logs", resource=f"log-group:/aws/lambda/{stack.stack_name}-*:*")
    namespaces = stack.format_arn(service="redshift-serverless", resource="namespace", resource_name="*")
    statements = {
        "Limit": ([f"redshift-serverless:{verb}UsageLimit" for verb in ("Create", "Update", "Delete")], ["*"]),
        "Describe": (["redshift-serverless:GetNamespace"], [namespaces]),
        "Log": (["logs:CreateLogStream", "logs:PutLogEvents"], [groups]),
    }
    for sid, (actions, resources) in statements.items():
        role.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
        accept_wildcards(
            role,
            resources,
            "Usage limits and namespaces have ids of AWS's making, and functions names of CloudFormation's",
        )
    return role
