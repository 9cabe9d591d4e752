"""The local AWS with the platform's stacks, and what each role looks for in them."""

import gzip
import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from infra.local.deploy.deployment import deploy_assembly
from infra.local.emulator.process import start_emulator
from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.emulator import INTERVAL_SCALE, POLL_SECONDS, LocalAws
from iot_pipeline_tests.support.role_paths import RAW, RULES, Platform
from iot_pipeline_tests.support.templates import assembly


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform's stacks, deployed to a local AWS of their own."""
    folder = tmp_path_factory.mktemp("platform")
    emulator = start_emulator(
        folder / "state", firehose_interval_scale=INTERVAL_SCALE, kinesis_poll_seconds=POLL_SECONDS
    )
    try:
        with pointing_to(emulator.environment):
            outputs = deploy_assembly(assembly(), Console(file=io.StringIO())).outputs
        aws = LocalAws(emulator, folder)
        for key in (RULES, "registry/devices.parquet"):
            aws.client("s3").put_object(Bucket=outputs["LakeBucket"], Key=key, Body=b"{}")
        aws.client("s3").put_object(Bucket=outputs["LakeBucket"], Key=RAW, Body=gzip.compress(b'{"v": 1}\n'))
        aws.client("secretsmanager").put_secret_value(SecretId=outputs["ChannelsSecret"], SecretString="{}")
        yield Platform(aws, outputs)
    finally:
        emulator.stop()
