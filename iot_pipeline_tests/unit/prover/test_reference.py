"""Every call that the prover knows of, against cfn-lint's copy of the service authorization reference.

Nobody here has made that copy: it says which actions there are, and which kinds of resources each is authorised on.
"""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pytest

from iot_pipeline_tests.support.proved import NAMES, proved

REFERENCE: Mapping[str, Any] = json.loads(files("cfnlint").joinpath("data/AdditionalSpecs/Policies.json").read_text())
# Calls of AWS's own policies, and of VPCs, that the guides give on everything although a narrower resource could be.
# CloudWatch's metrics are no datasets, which is the one kind of resource of these two calls.
ON_EVERYTHING = re.compile(r"iot:|ec2:(Create|Delete)NetworkInterface$|cloudwatch:(Get|Put)MetricData$")


def _known(action: str) -> Mapping[str, Any] | None:
    service, _, name = action.partition(":")
    found: Mapping[str, Any] | None = REFERENCE.get(service, {}).get("Actions", {}).get(name.lower())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_one_of_aws(name: str) -> None:
    needs = {need.action for role in proved(name).roles.values() for need in role}
    assert needs
    assert sorted(action for action in needs if _known(action) is None) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_call_is_on_what_its_action_is_authorised_on(name: str) -> None:
    wrong = []
    for need in {need for role in proved(name).roles.values() for need in role}:
        kinds = (_known(need.action) or {}).get("Resources", [])
        if need.resource == "*":
            if kinds and not ON_EVERYTHING.match(need.action):
                wrong.append(f"{need.action} on everything: it is authorised on {', '.join(kinds)}")
        elif not kinds:
            wrong.append(f"{need.action} on {need.resource}: it is authorised on no resource")
    assert sorted(wrong) == []
