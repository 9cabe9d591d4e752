"""What CodePipeline and CodeBuild call by themselves; what the builds' own commands call is in `build_steps`."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.prover.aws_calls.build_steps import step_calls
from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, need

_SERVICE_ROLE = 'CodePipeline guide, "Manage the CodePipeline service role"'
_BUILD_ACTION = 'CodePipeline guide, "AWS CodeBuild build and test action reference", service role permissions'
_CONNECTION = 'CodePipeline guide, "CodeStarSourceConnection action reference", service role permissions'
_CLONE = 'CodePipeline guide, "Tutorial: Use full clone with a GitHub pipeline source": CodeBuild\'s role clones'
_APPROVAL = 'CodePipeline guide, "Grant Amazon SNS permissions to a CodePipeline service role"'
_ENCRYPTED = 'CodePipeline guide, "Configure server-side encryption for artifacts stored in Amazon S3 for CodePipeline"'
_BUILD_ROLE = 'CodeBuild guide, "Allow CodeBuild to interact with other AWS services"'
_IN_A_NETWORK = 'CodeBuild guide, "Allow CodeBuild access to AWS services required to create a VPC network interface"'
_DESCRIBED = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")


def pipeline_calls(environment: Environment, pipeline: Resource) -> Iterator[Need]:
    """What a pipeline calls for its artifacts and actions. Raises ValueError for an action of another provider."""
    bucket = f"arn:aws:s3:::{pipeline.properties['ArtifactStore']['Location']}"
    for action in ("GetBucketVersioning", "GetBucketAcl", "GetBucketLocation"):
        yield need(f"s3:{action}", bucket, _SERVICE_ROLE)
    for action in ("GetObject", "GetObjectVersion", "PutObject", "PutObjectAcl"):
        yield need(f"s3:{action}", f"{bucket}/*", _SERVICE_ROLE)
    for action in ("Decrypt", "GenerateDataKey"):
        yield need(f"kms:{action}", _artifact_key(environment, pipeline), _ENCRYPTED)
    for made in _actions(pipeline):
        provider, configuration = made["ActionTypeId"]["Provider"], made["Configuration"]
        if provider == "CodeStarSourceConnection":
            yield need("codeconnections:UseConnection", configuration["ConnectionArn"], _CONNECTION)
        elif provider == "CodeBuild":
            project = _arn(environment, "codebuild", f"project/{configuration['ProjectName']}")
            for action in ("BatchGetBuilds", "StartBuild"):
                yield need(f"codebuild:{action}", project, _BUILD_ACTION)
        elif provider == "Manual":
            yield need("sns:Publish", configuration["NotificationArn"], _APPROVAL)
        else:
            raise ValueError(f"{pipeline.name}: say in infra/prover what an action of {provider} calls")


def build_calls(environment: Environment, project: Resource) -> Iterator[Need]:
    """What CodeBuild calls for a project that a pipeline starts, and what the commands of its buildspec call.

    Raises ValueError for a project that no pipeline starts.
    """
    group = project.properties["LogsConfig"]["CloudWatchLogs"]["GroupName"]
    for action in ("CreateLogStream", "PutLogEvents"):
        yield need(f"logs:{action}", _arn(environment, "logs", f"log-group:{group}:*"), _BUILD_ROLE)
    name = project.properties["Name"]
    found = [
        (pipeline, action)
        for pipeline in environment.of_type("AWS::CodePipeline::Pipeline")
        for action in _actions(pipeline)
        if action["Configuration"].get("ProjectName") == name
    ]
    if not found:
        raise ValueError(f"{project.name}: no pipeline of {environment.config.name} starts it; remove it")
    for pipeline, started in found:
        yield from _artifacts(environment, pipeline, started)
    if "VpcConfig" in project.properties:
        yield from _interfaces(environment, project.properties["VpcConfig"]["Subnets"])
    yield from step_calls(environment, project)


def _artifacts(environment: Environment, pipeline: Resource, action: Mapping[str, Any]) -> Iterator[Need]:
    """Reading what an action is given, and writing what it makes: nothing of the latter where it makes nothing (as
    CDK's CodeBuildAction grants it).
    """
    objects = f"arn:aws:s3:::{pipeline.properties['ArtifactStore']['Location']}/*"
    key = _artifact_key(environment, pipeline)
    for call in ("GetObject", "GetObjectVersion"):
        yield need(f"s3:{call}", objects, _BUILD_ROLE)
    yield need("kms:Decrypt", key, _ENCRYPTED)
    given = {artifact["Name"] for artifact in action["InputArtifacts"]}
    for other in _actions(pipeline):
        cloned = other["Configuration"].get("OutputArtifactFormat") == "CODEBUILD_CLONE_REF"
        if cloned and given & {artifact["Name"] for artifact in other["OutputArtifacts"]}:
            yield need("codeconnections:UseConnection", other["Configuration"]["ConnectionArn"], _CLONE)
    if action.get("OutputArtifacts"):
        yield need("s3:PutObject", objects, _BUILD_ROLE)
        yield need("kms:GenerateDataKey", key, _ENCRYPTED)


def _interfaces(environment: Environment, subnets: list[str]) -> Iterator[Need]:
    calls = ("CreateNetworkInterface", "DeleteNetworkInterface", *(f"Describe{kind}" for kind in _DESCRIBED))
    for call in calls:
        yield need(f"ec2:{call}", "*", _IN_A_NETWORK)
    for subnet in subnets:
        yield need(
            "ec2:CreateNetworkInterfacePermission",
            _arn(environment, "ec2", "network-interface/*"),
            _IN_A_NETWORK,
            ec2__AuthorizedService="codebuild.amazonaws.com",
            ec2__Subnet=_arn(environment, "ec2", f"subnet/{subnet}"),
        )


def _actions(pipeline: Resource) -> Iterator[Mapping[str, Any]]:
    for stage in pipeline.properties["Stages"]:
        yield from stage["Actions"]


def _artifact_key(environment: Environment, pipeline: Resource) -> str:
    key = str(pipeline.properties["ArtifactStore"]["EncryptionKey"]["Id"])
    return key if key.startswith("arn:") else _arn(environment, "kms", f"key/{key}")


def _arn(environment: Environment, service: str, resource: str) -> str:
    return f"arn:aws:{service}:{environment.config.region}:{environment.config.account}:{resource}"
