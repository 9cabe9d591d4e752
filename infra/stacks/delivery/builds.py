"""What each build of the delivery may do."""

from aws_cdk import aws_iam as iam

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.delivery.projects import Build, Network
from infra.stacks.parameters import read
from infra.stacks.statements import via
from iot_pipeline.contract.layout import RAW

# The roles that `cdk bootstrap` makes; they do the deploying (CDK guide, "Bootstrap your environment for use with the
# AWS CDK"). `hnb659fds` is the qualifier that it has unless it is told another.
_BOOTSTRAP_ROLES = ("deploy-role", "file-publishing-role", "lookup-role")
_QUALIFIER = "hnb659fds"


# The commit that passed an environment's smoke test last; the verdict compares with it.
_RELEASED = "released"
# The part that is deployed first, and whose outputs and wheels the migrations are given.
DATA = "data"


def check_builds(stack: PlatformStack, target: PlatformConfig) -> tuple[Build, ...]:
    """Tests, and the verdict over every environment with what would change of the target's; both only read."""
    find = iam.PolicyStatement(actions=["ssm:GetParameters"], resources=[_released(stack, target)])
    verdict = Build("Verdict", "verdict.yml", {"Released": find}, environment={"IOT_ENVIRONMENT": target.name})
    return Build("Test", "test.yml"), verdict


def _released(stack: PlatformStack, target: PlatformConfig) -> str:
    name = target.parameter(_RELEASED).removeprefix("/")
    return stack.format_arn(service="ssm", resource="parameter", resource_name=name)


def images_build(stack: PlatformStack, targets: tuple[PlatformConfig, ...], certificates: str) -> Build:
    """The images, pushed to each environment's repositories (ECR guide, "IAM permissions for pushing an image")."""
    repositories = [
        stack.format_arn(service="ecr", resource="repository", resource_name=f"{target.name}/{image}")
        for target in targets
        for image in ("dagster", "console")
    ]
    push = iam.PolicyStatement(
        actions=[
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeImages",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
        ],
        resources=repositories,
    )
    sign_in = iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"])
    return Build(
        "Images",
        "images.yml",
        {"Push": push, "SignIn": sign_in},
        {"*": "Signing in is to the registry as a whole (service authorization reference, Amazon ECR)"},
        {"ENVIRONMENTS": " ".join(target.name for target in targets)}
        | ({"RDS_CERTIFICATES": certificates} if certificates else {}),
        docker=True,
    )


def deploy_build(stack: PlatformStack, target: PlatformConfig, part: str) -> Build:
    """`cdk deploy` of the stacks with data, or of all: by the roles of the bootstrap, and with no right beside them."""
    roles = [
        f"arn:{target.partition}:iam::{target.account}:role/cdk-{_QUALIFIER}-{role}-{target.account}-{target.region}"
        for role in _BOOTSTRAP_ROLES
    ]
    deploy = {"Deploy": iam.PolicyStatement(actions=["sts:AssumeRole"], resources=roles)}
    wildcards: dict[str, str] = {}
    if part == DATA:
        name = f"{target.stack('Warehouse')}/*"
        databases = stack.format_arn(service="cloudformation", resource="stack", resource_name=name)
        deploy["Outputs"] = iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[databases])
        wildcards[databases] = "A stack's ARN ends with an id of CloudFormation's making"
    return Build(
        f"{target.name.capitalize()}{part.capitalize()}",
        f"{part}.yml",
        deploy,
        wildcards,
        {"IOT_ENVIRONMENT": target.name},
        hands_on=part == DATA,
    )


def migrate_build(stack: PlatformStack, target: PlatformConfig) -> Build:
    """The migrations of registry and warehouse, as their administrators, from within the environment's network."""
    prefixes = ("rds!cluster-*", f"redshift!{target.name}-*")
    secrets = [f"{stack.format_arn(service='secretsmanager', resource='secret')}:{prefix}" for prefix in prefixes]
    keys = [read(stack, target, name) for name in ("registry-key", "warehouse-key")]
    network = Network(
        vpc=read(stack, target, "vpc"),
        subnets=[read(stack, target, f"subnet-{zone}") for zone in target.zones],
        group=read(stack, target, "client-access"),
    )
    read_secrets = iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=secrets)
    return Build(
        f"{target.name.capitalize()}Migrate",
        "migrate.yml",
        {"Administrators": read_secrets, "AdministratorsKeys": via(stack, "secretsmanager", keys, "kms:Decrypt")},
        dict.fromkeys(secrets, "RDS and Redshift name the administrators' secrets themselves"),
        {"IOT_ENVIRONMENT": target.name},
        network,
        clones=False,
    )


def smoke_build(stack: PlatformStack, target: PlatformConfig) -> Build:
    """A device that is registered, publishes, is found in the raw zone and removed again."""

    def iot(kind: str, name: str) -> str:
        return stack.format_arn(service="iot", resource=kind, resource_name=name)

    config = target
    thing = iot("thing", f"{config.name}-smoke-*")
    # What is attached to a certificate is authorised on the certificate alone (service authorization reference, AWS
    # IoT).
    statements = {
        "Things": iam.PolicyStatement(
            actions=["iot:CreateThing", "iot:DeleteThing"],
            resources=[thing],
        ),
        "Certificates": iam.PolicyStatement(
            actions=[
                "iot:AttachPolicy",
                "iot:AttachThingPrincipal",
                "iot:DeleteCertificate",
                "iot:DetachPolicy",
                "iot:DetachThingPrincipal",
                "iot:UpdateCertificate",
            ],
            resources=[iot("cert", "*")],
        ),
        "Sign": iam.PolicyStatement(actions=["iot:CreateCertificateFromCsr", "iot:DescribeEndpoint"], resources=["*"]),
        "FindRaw": iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[config.bucket_arn(config.lake_bucket)],
            conditions={"StringLike": {"s3:prefix": [f"{RAW}*"]}},
        ),
        "ReadRaw": iam.PolicyStatement(actions=["s3:GetObject"], resources=[config.lake_objects(RAW)]),
        "Release": iam.PolicyStatement(actions=["ssm:PutParameter"], resources=[_released(stack, config)]),
        "RawKey": via(stack, "s3", [read(stack, config, "lake-key")], "kms:Decrypt"),
    }
    reasons = {
        thing: "Each test has a thing of its own",
        iot("cert", "*"): "Certificates have ids of AWS's making",
        config.lake_objects(RAW): "What the device sent is in objects that Firehose names",
        "*": "Neither signing nor the endpoint has an ARN (service authorization reference, AWS IoT)",
    }
    return Build(f"{target.name.capitalize()}Smoke", "smoke.yml", statements, reasons, {"IOT_ENVIRONMENT": target.name})
