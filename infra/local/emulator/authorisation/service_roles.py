"""A service of the local AWS that acts as a role: the rules engine, Firehose, a crawler, an event source mapping.

The role's trust policy has to let the service in, with the account and the resource that it acts for as
`aws:SourceAccount` and `aws:SourceArn` (IAM user guide, "The confused deputy problem"), and its policies have to allow
each call, the calls to keys among them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from infra.local.emulator.authorisation import decisions
from infra.local.emulator.authorisation.decisions import Call, lets_in
from infra.local.emulator.authorisation.denials import AccessDeniedError, Denial, tell
from infra.local.emulator.authorisation.encryption import key_calls

LAMBDA = "lambda.amazonaws.com"


@dataclass(frozen=True)
class ServiceRole:
    """A service as a role. `source_arn` is what it acts for: a rule, a delivery stream, a crawler, a function."""

    role_arn: str
    service: str
    source_arn: str

    def check(self, action: str, *resources: str, **context: str) -> None:
        """Raise AccessDeniedError, and tell of it, unless the role may do so with each resource.

        `context` holds condition keys whose colon is written as two underscores: `s3__prefix`.
        """
        keys = tuple((name.replace("__", ":"), value) for name, value in sorted(context.items()))
        for resource in resources:
            self.check_calls([Call(action, resource, keys), *key_calls(action, resource)])

    def check_calls(self, calls: Iterable[Call]) -> None:
        """The same for calls that are known; without any, whether the role trusts the service."""
        if denial := self._denial(calls):
            tell(denial)
            raise AccessDeniedError(denial)

    def _denial(self, calls: Iterable[Call]) -> Denial | None:
        record = decisions.role_record(self.role_arn)
        if record is None:
            return Denial(self.service, "sts:AssumeRole", self.role_arn, "because there is no such role")
        if not trusts(record["AssumeRolePolicyDocument"], self.service, self.source_arn):
            reason = f"because its trust policy does not let the service in for {self.source_arn}"
            return Denial(self.service, "sts:AssumeRole", self.role_arn, reason)
        session = decisions.session_of(record, self.service.partition(".")[0])
        denials = (decisions.decide(session, call) for call in calls)
        return next((denial for denial in denials if denial), None)


@lru_cache(1_000)
def trusts(trust_policy: str, service: str, source_arn: str) -> bool:
    """Whether a trust policy, as a text, lets a service assume the role for a resource."""
    return lets_in(trust_policy, service, "sts:AssumeRole", "*", source_arn)


def check_invocation(function: Any, function_arn: str, service: str, source_arn: str) -> None:
    """Raise AccessDeniedError unless the function's own policy lets a service invoke it for a resource.

    AWS Lambda developer guide, "Working with resource-based IAM policies in Lambda".
    """
    action, text = "lambda:InvokeFunction", json.dumps(function["policy"])
    if not lets_in(text, service, action, function_arn, source_arn):
        denial = Denial(
            source_arn, action, function_arn, f"because no resource-based policy allows the {action} action"
        )
        tell(denial)
        raise AccessDeniedError(denial)
