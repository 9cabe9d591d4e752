"""The pipeline: from a commit on the branch to production, with a person before it and a way back behind it."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline

from infra.stacks.base import PlatformStack

_Action = codepipeline.CfnPipeline.ActionDeclarationProperty
_Stage = codepipeline.CfnPipeline.StageDeclarationProperty
SOURCE = "Source"
# Values that a build exports are read by later ones as `#{namespace.NAME}` (CodePipeline guide, "Variables").
IMAGES = "images"


@dataclass(frozen=True)
class Target:
    """The builds of one environment, in the order in which they run: data, migrations, services, a device."""

    name: str
    data: codebuild.CfnProject
    migrate: codebuild.CfnProject
    services: codebuild.CfnProject
    smoke: codebuild.CfnProject


def source_stage(connection: str, repository: str, branch: str) -> _Stage:
    """The branch's newest commit, as a clone with its history: the verdict compares with the release that runs."""
    return _Stage(
        name="Source",
        actions=[
            _Action(
                name="Clone",
                action_type_id=_type("Source", "AWS", "CodeStarSourceConnection"),
                configuration={
                    "ConnectionArn": connection,
                    "FullRepositoryId": repository,
                    "BranchName": branch,
                    "OutputArtifactFormat": "CODEBUILD_CLONE_REF",
                },
                output_artifacts=[codepipeline.CfnPipeline.OutputArtifactProperty(name=SOURCE)],
            )
        ],
    )


def check_stage(*projects: codebuild.CfnProject) -> _Stage:
    """Everything that needs no account, side by side."""
    return _Stage(name="Check", actions=[_build(project, 1) for project in projects])


def images_stage(project: codebuild.CfnProject) -> _Stage:
    """The images, whose digests the deployments are given."""
    return _Stage(name="Images", actions=[_build(project, 1, namespace=IMAGES)])


def deploy_stage(target: Target) -> _Stage:
    """Data first, its migrations, then the services that rely on them, then a device that tries it all.

    A stage that fails is rolled back: its last successful execution runs again, with that commit and those images
    (CodePipeline guide, "Configuring stage rollback"). Migrations only add, so that the release before runs on them.
    """
    digests = {name: f"#{{{IMAGES}.{name}}}" for name in ("DAGSTER_DIGEST", "CONSOLE_DIGEST")}
    namespace = f"{target.name}Data"
    places = {name: f"#{{{namespace}.{name}}}" for name in PLACES}
    return _Stage(
        name=target.name.capitalize(),
        actions=[
            _build(target.data, 1, namespace=namespace, output=f"{target.name}Wheels"),
            # From within the network there is no way to a registry of packages, nor to the repository.
            _build(target.migrate, 2, variables=places, source=f"{target.name}Wheels"),
            _build(target.services, 3, variables=digests),
            _build(target.smoke, 4),
        ],
        on_failure=codepipeline.CfnPipeline.FailureConditionsProperty(result="ROLLBACK"),
    )


# What `data.yml` exports of the stacks' outputs.
PLACES = ("REGISTRY_HOST", "REGISTRY_SECRET_ARN", "WAREHOUSE_HOST", "WAREHOUSE_SECRET_ARN")


def approval_stage(topic: str) -> _Stage:
    """A person reads the verdict's log and the staging environment, within a week."""
    return _Stage(
        name="Approve",
        actions=[
            _Action(
                name="Approve",
                action_type_id=_type("Approval", "AWS", "Manual"),
                configuration={
                    "NotificationArn": topic,
                    "CustomData": "Staging runs this release. The log of Verdict says what it changes in production.",
                },
            )
        ],
    )


def add_pipeline(
    stack: PlatformStack, role_arn: str, artifacts: str, key: str, stages: list[_Stage]
) -> codepipeline.CfnPipeline:
    """The pipeline itself. A newer commit waits for the one before, and is not overtaken (QUEUED)."""
    return codepipeline.CfnPipeline(
        stack,
        "Pipeline",
        name=stack.config.delivery,
        pipeline_type="V2",
        execution_mode="QUEUED",
        role_arn=role_arn,
        artifact_store=codepipeline.CfnPipeline.ArtifactStoreProperty(
            type="S3",
            location=artifacts,
            encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(id=key, type="KMS"),
        ),
        stages=stages,
    )


def _build(
    project: codebuild.CfnProject,
    order: int,
    *,
    source: str = SOURCE,
    output: str | None = None,
    namespace: str | None = None,
    variables: dict[str, str] | None = None,
) -> _Action:
    configuration: dict[str, Any] = {"ProjectName": project.ref}
    if variables:
        texts = [
            f'{{"name":"{name}","value":"{value}","type":"PLAINTEXT"}}' for name, value in sorted(variables.items())
        ]
        configuration["EnvironmentVariables"] = f"[{','.join(texts)}]"
    return _Action(
        name=project.node.id,
        action_type_id=_type("Build", "AWS", "CodeBuild"),
        configuration=configuration,
        input_artifacts=[codepipeline.CfnPipeline.InputArtifactProperty(name=source)],
        output_artifacts=[codepipeline.CfnPipeline.OutputArtifactProperty(name=output)] if output else None,
        run_order=order,
        namespace=namespace,
    )


def _type(category: str, owner: str, provider: str) -> codepipeline.CfnPipeline.ActionTypeIdProperty:
    return codepipeline.CfnPipeline.ActionTypeIdProperty(category=category, owner=owner, provider=provider, version="1")
