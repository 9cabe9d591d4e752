"""The app: which stacks there are and how they are tied together."""

from pathlib import Path

import aws_cdk as cdk

from infra.stacks.config import PlatformConfig
from infra.stacks.ingest.stack import IngestStack
from infra.stacks.lake.stack import LakeStack
from infra.stacks.warehouse.stack import WarehouseStack
from iot_pipeline.contract import CONTRACT, Contract

# What `cdk init` switches on for a new app; without it the access logs need an ACL, which buckets refuse by default.
_FEATURES = {
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/core:enablePartitionLiterals": True,
}


def build(outdir: Path | None, config: PlatformConfig, contract: Contract = CONTRACT) -> cdk.App:
    """The app with all stacks, not yet synthesised. `outdir` is where `synth()` will write."""
    app = cdk.App(
        outdir=None if outdir is None else str(outdir),
        analytics_reporting=False,
        context=dict(_FEATURES),
    )
    env = cdk.Environment(account=config.account, region=config.region)
    lake = LakeStack(app, "TelemetryLake", config=config, contract=contract, env=env, synthesizer=_synthesizer())
    IngestStack(app, "TelemetryIngest", config=config, lake=lake, env=env, synthesizer=_synthesizer())
    WarehouseStack(
        app, "TelemetryWarehouse", config=config, contract=contract, lake=lake, env=env, synthesizer=_synthesizer()
    )
    return app


def _synthesizer() -> cdk.DefaultStackSynthesizer:
    # The rule reads an SSM parameter of the bootstrap stack, which the local AWS does not have.
    return cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
