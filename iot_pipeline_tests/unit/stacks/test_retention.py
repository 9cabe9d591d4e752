"""What a first deployment that failed leaves behind: nothing that its repetition would find in its way.

CloudFormation user guide, "DeletionPolicy attribute": Retain keeps a resource also when its creation is rolled back,
RetainExceptOnCreate does not.
"""

import json

import pytest

from infra.local.deploy.coverage import ENVIRONMENTS
from iot_pipeline_tests.support.templates import assembly
from iot_pipeline_tests.unit.stacks.test_environments import fixed_names


@pytest.mark.parametrize("size", ENVIRONMENTS)
def test_nothing_with_a_name_of_its_own_stays_after_a_creation_that_failed(size: str) -> None:
    for path in sorted(assembly(name=ENVIRONMENTS[size]).glob("*.template.json")):
        resources = json.loads(path.read_text())["Resources"]
        stays = {name: one for name, one in resources.items() if one.get("DeletionPolicy") == "Retain"}
        assert fixed_names({"Resources": stays}) == set(), path.name


@pytest.mark.parametrize("size", ENVIRONMENTS)
def test_what_outlives_its_stack_outlives_its_replacement_too(size: str) -> None:
    for path in sorted(assembly(name=ENVIRONMENTS[size]).glob("*.template.json")):
        for name, one in json.loads(path.read_text())["Resources"].items():
            if one.get("DeletionPolicy", "").startswith("Retain"):
                assert one["UpdateReplacePolicy"] == "Retain", f"{path.name}: {name}"
