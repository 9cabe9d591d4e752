"""Things of AWS IoT Core whose certificates and policies are listed on more pages than one."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from iot_pipeline.registry import things

CERTIFICATES = [f"arn:aws:iot:eu-west-1:000000000000:cert/{letter * 64}" for letter in "ab"]
POLICIES = ["telemetry-device", "left-by-hand"]


@pytest.fixture
def stubbed() -> Stubber:
    return Stubber(boto3.client("iot", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"))


def test_every_certificate_of_every_page_is_revoked(stubbed: Stubber) -> None:
    first, second = CERTIFICATES
    thing = {"thingName": "d1"}
    stubbed.add_response("list_thing_principals", {"principals": [first], "nextToken": "more"}, thing)
    stubbed.add_response("list_thing_principals", {"principals": [second]}, thing | {"nextToken": "more"})
    for arn in CERTIFICATES:
        revoked = {"certificateId": arn.rpartition("/")[2], "newStatus": "REVOKED"}
        stubbed.add_response("update_certificate", {}, revoked)
        policies = [{"policyName": name} for name in POLICIES]
        stubbed.add_response("list_attached_policies", {"policies": policies[:1], "nextMarker": "m"}, {"target": arn})
        stubbed.add_response("list_attached_policies", {"policies": policies[1:]}, {"target": arn, "marker": "m"})
        for name in POLICIES:
            stubbed.add_response("detach_policy", {}, {"policyName": name, "target": arn})
        stubbed.add_response("detach_thing_principal", {}, thing | {"principal": arn})
        stubbed.add_response("list_thing_principals", {"principals": []}, thing)
    stubbed.add_response("create_thing", {}, thing | {"attributePayload": {"attributes": {"decommissioned": "true"}}})
    client: Any = stubbed.client
    with stubbed:
        things.revoke(client, "d1", None)
        stubbed.assert_no_pending_responses()
