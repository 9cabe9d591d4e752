"""How docs/permissions.md shows what a role may do."""

import pytest

from infra.prover.deployed import Environment
from infra.prover.table import shown
from infra.stacks.config import PlatformConfig

ENVIRONMENT = Environment(PlatformConfig(account="111122223333", name="try"), {})
ASSETS = "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1"


@pytest.mark.parametrize("ending", ["zip", "py"])
def test_an_asset_is_shown_by_its_kind_and_not_by_the_hash_of_its_content(ending: str) -> None:
    first, second = (shown(f"{ASSETS}/{digit * 64}.{ending}", ENVIRONMENT) for digit in "0f")
    assert first == second == f"s3:cdk-hnb659fds-assets/<hash>.{ending}"
