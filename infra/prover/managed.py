"""The policies of AWS's own that our roles have attached (AWS Managed Policy Reference, each under its name)."""

from collections.abc import Mapping
from typing import Any

_LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
# As of the reference in November 2026.
_THINGS = (
    "AddThingToBillingGroup AddThingToThingGroup AttachPolicy AttachPrincipalPolicy AttachThingPrincipal "
    "CreateCertificateFromCsr CreatePolicy CreateThing DescribeBillingGroup DescribeCertificate DescribeThing "
    "DescribeThingGroup DescribeThingType DetachPolicy DetachThingPrincipal GetPolicy ListAttachedPolicies "
    "ListPolicyPrincipals ListPrincipalPolicies ListPrincipalThings ListTargetsForPolicy ListThingGroupsForThing "
    "ListThingPrincipals RegisterCertificate RegisterThing RemoveThingFromBillingGroup RemoveThingFromThingGroup "
    "UpdateCertificate UpdateThing UpdateThingGroupsForThing"
)
_ACTIONS: Mapping[str, list[str]] = {
    "service-role/AWSLambdaBasicExecutionRole": _LOGS,
    "service-role/AWSIoTThingsRegistration": [f"iot:{name}" for name in _THINGS.split()],
}


# What these allow is AWS's to say and is not looked at: how many actions they have, and that it is descriptions alone.
NOT_LOOKED_AT = ("service-role/AWS_ConfigRole",)


def managed_policy(name: str) -> Mapping[str, Any]:
    """A policy by its name with its path. Raises ValueError for one whose text is not written down here."""
    if name in NOT_LOOKED_AT:
        return {"Version": "2012-10-17", "Statement": []}
    if name not in _ACTIONS:
        raise ValueError(f"{name}: its text is not in infra/prover/managed.py; write it down, or name the actions")
    return {
        "Version": "2012-10-17",
        "Statement": [{"Sid": name, "Effect": "Allow", "Action": _ACTIONS[name], "Resource": "*"}],
    }
