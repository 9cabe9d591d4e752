"""Delivery: the pipeline that brings a commit to staging, and after a person's word to this environment."""

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codeconnections as codeconnections
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.delivery.builds import DATA, check_builds, deploy_build, images_build, migrate_build, smoke_build
from infra.stacks.delivery.pipeline import (
    Target,
    add_pipeline,
    approval_stage,
    check_stage,
    deploy_stage,
    images_stage,
    source_stage,
)
from infra.stacks.delivery.projects import Build, accept_artifacts, add_project
from infra.stacks.lake.lifecycle import expire
from infra.stacks.nag import accept
from infra.stacks.parameters import read
from infra.stacks.principals import for_this_account
from infra.stacks.private_bucket import private_bucket
from infra.stacks.statements import via

_ARTIFACT_DAYS = 90


class DeliveryStack(PlatformStack):
    """The pipeline of one environment; `before` is the environment that each release goes through first.

    Both are in one account and region here. In two, `cdk bootstrap --trust` lets this account's builds deploy to the
    other, and the migrations and the smoke test want a project there.
    """

    def __init__(self, scope: Construct, config: PlatformConfig, before: PlatformConfig) -> None:
        super().__init__(scope, "Delivery", config, holds_data=False)
        accept(self, "Platform::stacks_with_data_are_protected", "Artifacts are made again by the pipeline's next run")
        self._key = self.key("Key", "delivery", f"Artifacts of {config.name}'s delivery")
        self._artifacts = self._bucket()
        connection = codeconnections.CfnConnection(
            self, "Connection", connection_name=config.delivery, provider_type=config.repository_provider
        )
        self._connection = connection.attr_connection_arn
        test, verdict = (self._project(build) for build in check_builds(self, config))
        images = self._project(images_build(self, (before, config), config.rds_certificates))
        targets = [self._target(target) for target in (before, config)]
        topic = read(self, config, "alerts-topic")
        stages = [
            source_stage(self._connection, config.repository, config.branch),
            check_stage(test, verdict),
            images_stage(images),
            deploy_stage(targets[0]),
            approval_stage(topic),
            deploy_stage(targets[1]),
        ]
        projects = [test, verdict, images]
        projects += [p for t in targets for p in (t.data, t.migrate, t.services, t.smoke)]
        role = self._role([project.attr_arn for project in projects], topic)
        pipeline = add_pipeline(self, role.role_arn, self._artifacts.bucket_name, self._key.key_arn, stages)
        pipeline.node.add_dependency(role.node.find_child("DefaultPolicy"))
        self.outputs(DeliveryPipeline=pipeline.ref, SourceConnection=self._connection)

    def _target(self, target: PlatformConfig) -> Target:
        return Target(
            target.name,
            data=self._project(deploy_build(self, target, DATA)),
            migrate=self._project(migrate_build(self, target)),
            services=self._project(deploy_build(self, target, "services")),
            smoke=self._project(smoke_build(self, target)),
        )

    def _project(self, build: Build) -> codebuild.CfnProject:
        return add_project(self, build, self._artifacts, self._key, self._connection)

    def _bucket(self) -> s3.Bucket:
        bucket = private_bucket(self, "Artifacts", self._key, [expire("artifacts", None, _ARTIFACT_DAYS)])
        accept(bucket, "AwsSolutions-S1", "Pipeline and builds alone read and write it; both log what they do")
        return bucket

    def _role(self, projects: list[str], topic: str) -> iam.Role:
        """The pipeline's own: it starts the builds and asks a person (CodePipeline guide, "Manage the CodePipeline
        service role").
        """
        role = iam.Role(self, "PipelineRole", assumed_by=for_this_account("codepipeline.amazonaws.com", self.config))
        objects = self._artifacts.arn_for_objects("*")
        alerts_key = read(self, self.config, "alerts-key")
        statements = {
            "Clone": ([self._connection], ["codeconnections:UseConnection"]),
            "Build": (projects, ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]),
            "Find": (
                [self._artifacts.bucket_arn],
                ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"],
            ),
            "Artifacts": ([objects], ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"]),
            "ArtifactKey": ([self._key.key_arn], ["kms:Decrypt", "kms:GenerateDataKey"]),
            "Ask": ([topic], ["sns:Publish"]),
        }
        for sid, (resources, actions) in statements.items():
            role.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
        topic_key = via(self, "sns", [alerts_key], "kms:Decrypt", "kms:GenerateDataKey")
        role.add_to_policy(topic_key.copy(sid="TopicKey"))
        accept_artifacts(role, self._artifacts)
        return role
