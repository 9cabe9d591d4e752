"""The Athena workgroups."""

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms

from infra.stacks.config import PlatformConfig
from iot_pipeline.contract.layout import QUERY_RESULTS

ENGINE = "Athena engine version 3"


@dataclass(frozen=True)
class Workgroups:
    """One for people and dashboards, one for tenants' users in the console, one for the builds."""

    people: athena.CfnWorkGroup
    tenants: athena.CfnWorkGroup
    builds: athena.CfnWorkGroup


def add_workgroups(stack: Stack, config: PlatformConfig, key: kms.IKey | None) -> Workgroups:
    """All workgroups. People's results have a bucket of their own, and only the builds may say where they write.

    A workgroup that enforces its configuration refuses `external_location` in a CTAS (Athena user guide,
    "Considerations and limitations for CTAS queries"), and a build has to say where it writes.
    """
    return Workgroups(
        people=_workgroup(
            stack,
            "Workgroup",
            config.name,
            "For people and dashboards",
            config.scan_cutoff_gib,
            f"{config.results_bucket}/",
            key,
            enforced=True,
        ),
        tenants=_workgroup(
            stack,
            "TenantsWorkgroup",
            f"{config.name}-tenants",
            "For tenants' users, by the console",
            config.tenant_scan_cutoff_gib,
            f"{config.results_bucket}/",
            key,
            enforced=True,
        ),
        builds=_workgroup(
            stack,
            "BuildWorkgroup",
            f"{config.name}-builds",
            "For the builds, which name where they write",
            config.scan_cutoff_gib,
            f"{config.lake_bucket}/{QUERY_RESULTS}",
            key,
            enforced=False,
        ),
    )


def _workgroup(
    stack: Stack,
    construct_id: str,
    name: str,
    description: str,
    cutoff_gib: int,
    results: str,
    key: kms.IKey | None,
    *,
    enforced: bool,
) -> athena.CfnWorkGroup:
    return athena.CfnWorkGroup(
        stack,
        construct_id,
        name=name,
        description=description,
        recursive_delete_option=True,
        work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
            engine_version=athena.CfnWorkGroup.EngineVersionProperty(selected_engine_version=ENGINE),
            enforce_work_group_configuration=enforced,
            publish_cloud_watch_metrics_enabled=True,
            bytes_scanned_cutoff_per_query=cutoff_gib * 1024**3,
            result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                output_location=f"s3://{results}{name}/",
                encryption_configuration=_encryption(key),
            ),
        ),
    )


def _encryption(key: kms.IKey | None) -> athena.CfnWorkGroup.EncryptionConfigurationProperty:
    if key is None:
        return athena.CfnWorkGroup.EncryptionConfigurationProperty(encryption_option="SSE_S3")
    return athena.CfnWorkGroup.EncryptionConfigurationProperty(encryption_option="SSE_KMS", kms_key=key.key_arn)
