"""The Athena workgroups."""

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra.stacks.config import PlatformConfig
from iot_pipeline.contract.layout import QUERY_RESULTS

ENGINE = "Athena engine version 3"


@dataclass(frozen=True)
class Workgroups:
    """One for people and dashboards, one for the builds."""

    people: athena.CfnWorkGroup
    builds: athena.CfnWorkGroup


def add_workgroups(stack: Stack, config: PlatformConfig, bucket: s3.IBucket, key: kms.IKey) -> Workgroups:
    """Both workgroups; they differ in one thing.

    A workgroup that enforces its configuration refuses `external_location` in a CTAS (Athena user guide,
    "Considerations and limitations for CTAS queries"), and a build has to say where it writes.
    """
    return Workgroups(
        people=_workgroup(stack, "Workgroup", config.name, config, bucket, key, enforced=True),
        builds=_workgroup(stack, "BuildWorkgroup", f"{config.name}-builds", config, bucket, key, enforced=False),
    )


def _workgroup(
    stack: Stack,
    construct_id: str,
    name: str,
    config: PlatformConfig,
    bucket: s3.IBucket,
    key: kms.IKey,
    *,
    enforced: bool,
) -> athena.CfnWorkGroup:
    return athena.CfnWorkGroup(
        stack,
        construct_id,
        name=name,
        description="For people and dashboards" if enforced else "For the builds, which name where they write",
        recursive_delete_option=True,
        work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
            engine_version=athena.CfnWorkGroup.EngineVersionProperty(selected_engine_version=ENGINE),
            enforce_work_group_configuration=enforced,
            publish_cloud_watch_metrics_enabled=True,
            bytes_scanned_cutoff_per_query=config.scan_cutoff_gib * 1024**3,
            result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                output_location=f"s3://{bucket.bucket_name}/{QUERY_RESULTS}{name}/",
                encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                    encryption_option="SSE_KMS", kms_key=key.key_arn
                ),
            ),
        ),
    )
