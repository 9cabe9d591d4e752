"""The smallest size's rules write straight to S3, as their role."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from infra.local.deploy.deployment import deploy_assembly
from infra.local.emulator.process import start_emulator
from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.emulator import LocalAws, eventually
from iot_pipeline_tests.support.role_paths import Platform, publish
from iot_pipeline_tests.support.templates import assembly

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The stacks of the size `prototype`."""
    folder = tmp_path_factory.mktemp("prototype")
    emulator = start_emulator(folder / "state")
    try:
        with pointing_to(emulator.environment):
            outputs = deploy_assembly(assembly(name="trial"), Console(file=io.StringIO())).outputs
        yield Platform(LocalAws(emulator, folder), outputs)
    finally:
        emulator.stop()


def test_a_message_reaches_the_lake_unless_the_rule_may_not_put_it(platform: Platform) -> None:
    lake = platform.outputs["LakeBucket"]
    publish(platform, "")
    (key,) = eventually(lambda: platform.aws.keys(lake, "raw/"))
    assert platform.denials() == []

    policy, document = platform.policy("RuleRole")
    kept = [one for one in document["Statement"] if one["Action"] != "s3:PutObject"]
    assert len(kept) == len(document["Statement"]) - 1
    platform.put_policy("RuleRole", policy, {**document, "Statement": kept})
    publish(platform, "")
    (denial,) = eventually(platform.denials)
    assert f"s3:PutObject on resource: arn:aws:s3:::{lake}/raw/" in denial
    assert platform.aws.keys(lake, "raw/") == [key]
    (failed,) = platform.aws.messages(platform.outputs["RuleErrorQueueUrl"])
    assert "s3:PutObject" in failed["failures"][0]["errorMessage"]
