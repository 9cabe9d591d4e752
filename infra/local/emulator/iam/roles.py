"""A service of the local AWS that acts as a role: the rules engine, Firehose, a crawler, an event source mapping.

The role's trust policy has to let the service in, with the account and the resource that it acts for as
`aws:SourceAccount` and `aws:SourceArn` (IAM user guide, "The confused deputy problem"), and its policies have to allow
each call, the calls to keys among them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn

from infra.local.emulator.iam import decisions
from infra.local.emulator.iam.decisions import Call
from infra.local.emulator.iam.denials import AccessDeniedError, Denial, tell
from infra.local.emulator.iam.encryption import key_calls

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
        for resource in resources or ("*",):
            self.check_calls([Call(action, resource, keys), *key_calls(action, resource)])

    def check_calls(self, calls: Iterable[Call]) -> None:
        """The same for calls that are known."""
        if denial := self._denial(calls):
            tell(denial)
            raise AccessDeniedError(denial)

    def _denial(self, calls: Iterable[Call]) -> Denial | None:
        record = decisions.role_record(self.role_arn)
        if record is None:
            return Denial(self.service, "sts:AssumeRole", self.role_arn, "because there is no such role")
        if not trusts(record["AssumeRolePolicyDocument"], self.service, self.source_arn):
            return Denial(self.service, "sts:AssumeRole", self.role_arn, f"for {self.source_arn}: its trust policy")
        principal = decisions.session_of(self.role_arn, self.service.partition(".")[0])
        denials = (decisions.decide(principal, call) for call in calls)
        return next((denial for denial in denials if denial), None)


@lru_cache(1_000)
def trusts(trust_policy: str, service: str, source_arn: str) -> bool:
    """Whether a trust policy lets a service assume the role for a resource."""
    account = parse_arn(source_arn).account_id
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn="*",
        region=parse_arn(source_arn).region,
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": account},
    )
    result = iam_evaluator.evaluate_resource_policy(trust_policy, context, service=service)
    return bool(result.decision == "Allow")


def may_invoke(function_policy: object, function_arn: str, service: str, source_arn: str) -> bool:
    """Whether a function's policy lets a service invoke it for a resource ("Resource-based policies for Lambda")."""
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=parse_arn(function_arn).account_id,
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=parse_arn(function_arn).region,
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": parse_arn(source_arn).account_id},
    )
    result = iam_evaluator.evaluate_resource_policy(function_policy, context, service=service)
    return bool(result.decision == "Allow")
