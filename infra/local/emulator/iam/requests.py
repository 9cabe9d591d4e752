"""Requests that are signed with a role's session credentials: what ministack evaluates, and what it leaves out.

Ministack derives action, resource and condition keys from a request and evaluates the caller's policies. Added here are
the calls that a request implies, to keys above all (`encryption.py`), the trust that a role puts in a service, and that
each denial is told of. A request of the account's root is served whatever it is.
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.arn import parse_arn
from ministack.core.responses import get_region
from ministack.services import lambda_svc, s3

from infra.local.emulator.iam import decisions
from infra.local.emulator.iam.decisions import Call
from infra.local.emulator.iam.denials import Denial, tell
from infra.local.emulator.iam.encryption import key_calls
from infra.local.emulator.iam.roles import LAMBDA, ServiceRole, trusts

# How each service says that the caller lacks the key (the errors of their API references); the others say AccessDenied.
_KEY_DENIED = {"sns": "KMSAccessDenied", "sqs": "KMS.AccessDeniedException", "kinesis": "KMSAccessDeniedException"}

_implied_denial: ContextVar[Denial | None] = ContextVar("implied_denial", default=None)
_stock_enforce = iam_evaluator.enforce
_stock_trust = iam_evaluator.evaluate_trust_policy
_stock_response = iam_actions.access_denied_response
_stock_credentials = lambda_runtime.execution_credentials


def install() -> None:
    """Replace the evaluation of a request, the answer to one that is denied, and the credentials of functions."""
    iam_evaluator.parse_policy_document = decisions.parse
    iam_evaluator.enforce = enforce
    iam_evaluator.evaluate_trust_policy = evaluate_trust_policy
    iam_actions.access_denied_response = access_denied_response
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = execution_credentials


def enforce(
    access_key_id: str,
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    """None if a request is allowed; ministack's AuthError or EvalResult if it is not."""
    _implied_denial.set(None)
    refused = _stock_enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
    if isinstance(refused, iam_evaluator.AuthError):
        return refused
    if refused is not None:
        tell(_denial(refused, iam_action, resource_arn))
        return refused
    if not access_key_id or iam_evaluator.is_root_access_key(access_key_id):
        return None
    for call in (*listing_calls(iam_action, resource_arn), *key_calls(iam_action, resource_arn)):
        implied = call.action.partition(":")[0]
        refused = _stock_enforce(access_key_id, call.action, implied, region, call.resource, dict(call.context))
        if refused is not None:
            denial = _denial(refused, call.action, call.resource)
            tell(denial)
            _implied_denial.set(denial)
            return refused
    return None


def listing_calls(action: str, resource: str) -> list[Call]:
    """Whoever may not list an object that is not there is not told that it is not (S3 API reference, GetObject).

    The key is the prefix that a condition sees: not documented, but observed by others (kopia, pull request 3072).
    """
    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    found = s3._buckets.get(bucket) if action == "s3:GetObject" else None
    if found is None or key in found["objects"]:
        return []
    return [Call("s3:ListBucket", f"arn:aws:s3:::{bucket}", (("s3:prefix", key),))]


def access_denied_response(service: str, action: str, principal_arn: str, request_id: str, **more: Any) -> Any:
    """The service's own answer; it names the action that was denied where the request only implied that."""
    denial = _implied_denial.get()
    if denial is None or more.get("error_code"):
        return _stock_response(service, action, principal_arn, request_id, **more)
    _implied_denial.set(None)
    code = _KEY_DENIED.get(service, "") if denial.action.startswith("kms:") else ""
    more |= {"message": str(denial), "resource_arn": denial.resource, "error_code": code}
    return _stock_response(service, denial.action, principal_arn, request_id, **more)


def evaluate_trust_policy(trust_policy: Any, caller_arn: str, context: Any = None) -> bool:
    """Whether a caller may assume a role. The account's root stands for each service that the policy names.

    What AWS starts by itself, such as a task of ECS, is started here by who has the root's credentials.
    """
    if not caller_arn.endswith(":root"):
        return bool(_stock_trust(trust_policy, caller_arn, context))
    document = trust_policy if isinstance(trust_policy, str) else json.dumps(trust_policy)
    account, region = parse_arn(caller_arn).account_id, get_region()
    services = {
        service
        for service in _services(json.loads(document))
        if trusts(document, service, _source(service, region, account))
    }
    return bool(services) or bool(_stock_trust(_without_services(json.loads(document)), caller_arn, context))


def _services(document: Any) -> set[str]:
    found: set[str] = set()
    for statement in document["Statement"]:
        principal = statement.get("Principal")
        named = principal.get("Service", []) if isinstance(principal, dict) else []
        found |= {named} if isinstance(named, str) else set(named)
    return found


def _without_services(document: Any) -> Any:
    """The statements whose principal is no service: ministack takes the root for any that is."""
    kept = [
        s for s in document["Statement"] if not (isinstance(s.get("Principal"), dict) and "Service" in s["Principal"])
    ]
    return {**document, "Statement": kept}


def _source(service: str, region: str, account: str) -> str:
    return f"arn:aws:{service.partition('.')[0].removesuffix('-tasks')}:{region}:{account}:local/session"


def execution_credentials(config: Any) -> dict[str, str]:
    """The session credentials of a function's role; raises AccessDeniedError if the role does not trust Lambda."""
    ServiceRole(config.get("Role", ""), LAMBDA, config["FunctionArn"]).check_calls(())
    credentials: dict[str, str] = _stock_credentials(config)
    return credentials


def _denial(refused: Any, action: str, resource: str) -> Denial:
    kind = "a resource-based policy" if refused.resource_policy_arn else "an identity-based policy"
    reason = f"because no identity-based policy allows the {action} action"
    return Denial(
        refused.principal_arn,
        action,
        resource,
        f"with an explicit deny in {kind}" if refused.decision == "Deny" else reason,
    )
