"""Requests that are signed with a role's session credentials, as a function or a task sends them.

Ministack checks the signature and derives action, resource and condition keys; our evaluator decides. Added are the
calls that a request implies, to keys above all (`encryption.py`), the trust that a role puts in a service, requests
that a service sends for its caller (`on_behalf.py`), and that each denial is told of. A request of the account's root
is served whatever it is; users, sessions of other kinds and sessions with policies of their own are left to ministack.
Stock ministack evaluates identity policies alone, takes several values of StringNotEquals as alternatives, and lets a
conditional denial with a key that it does not know pass.
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.arn import parse_arn
from ministack.core.responses import _account_from_sts_session, get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import lambda_svc, s3, sts

from infra.local.emulator.authorisation import on_behalf
from infra.local.emulator.authorisation.decisions import Call, Session, decide, role_record, services_of, session_of
from infra.local.emulator.authorisation.denials import Denial, tell
from infra.local.emulator.authorisation.encryption import key_calls
from infra.local.emulator.authorisation.glue_resources import glue_resources
from infra.local.emulator.authorisation.service_roles import LAMBDA, ServiceRole, trusts
from infra.local.servers.acting import ALLOWED

# How each service says that the caller lacks the key (the errors of their API references); the others say AccessDenied.
_KEY_DENIED = {"sns": "KMSAccessDenied", "sqs": "KMS.AccessDeniedException", "kinesis": "KMSAccessDeniedException"}

# A batch is allowed by the action of one (service authorization reference, "Amazon SQS", "Amazon SNS").
_OF_BATCH = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}

_denial: ContextVar[Denial | None] = ContextVar("denial", default=None)
_stock_enforce = iam_evaluator.enforce
_stock_trust = iam_evaluator.evaluate_trust_policy
_stock_response = iam_actions.access_denied_response
_stock_credentials = lambda_runtime.execution_credentials


def install() -> None:
    """Replace the evaluation of a request, the answer to one that is denied, and the credentials of functions."""
    iam_evaluator.enforce = enforce
    iam_evaluator.evaluate_trust_policy = evaluate_trust_policy
    iam_actions.access_denied_response = access_denied_response
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = execution_credentials
    iam_evaluator.request_caller_arn = request_caller_arn


def enforce(
    access_key_id: str,
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    """None if a request is allowed; ministack's AuthError or EvalResult if it is not."""
    _denial.set(None)
    iam_action = _OF_BATCH.get(iam_action, iam_action)
    checks, context, body = on_behalf.checks(), service_context or {}, _body()
    more: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    if (forwarded := on_behalf.forwarded_key()) and iam_evaluator.is_root_access_key(access_key_id):
        if failure := _unauthenticated(access_key_id):
            return failure
        access_key_id, more = forwarded, on_behalf.via()
    session = _role_session(access_key_id)
    if session is None or "s3:DataAccessPointArn" in context:
        return _left_to_stock(access_key_id, iam_action, service, region, resource_arn, context, checks)
    if failure := _unauthenticated(access_key_id):
        return failure
    if iam_action in iam_evaluator._ALWAYS_ALLOWED_ACTIONS:
        return None
    keys = tuple((key.lower(), _plain(value)) for key, value in context.items() if value is not None)
    resources = glue_resources(iam_action, body, resource_arn) if service == "glue" else [resource_arn]
    calls = checks or [
        *(Call(iam_action, resource, keys + more) for resource in resources),
        *_listing(iam_action, resource_arn),
        *key_calls(iam_action, resource_arn),
    ]
    for call in calls:
        if denial := decide(session, call):
            tell(denial)
            _denial.set(denial)
            explicit = denial.reason.startswith("with")
            return iam_evaluator.EvalResult("Deny" if explicit else "ImplicitDeny", denial.principal)
    return _allowed() if checks else None


def request_caller_arn(headers: Any, query_params: Any = None) -> str:
    """The ARN of who signed a request; the account's root where nobody that is known did.

    Stock ministack gathers the caller's policies for it, of every request, and drops them.
    """
    account = get_account_id()
    key = extract_access_key_id(headers or {}, query_params or {})
    found = iam_evaluator.resolve_credential(key, _account_from_sts_session(key) or account) if key else None
    return str(getattr(found, "principal_arn", "")) or f"arn:aws:iam::{account}:root"


def _left_to_stock(
    access_key_id: str,
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str,
    context: dict[str, Any],
    checks: list[Call],
) -> Any:
    """Ministack's own evaluation: of the root, of users, of sessions that are no role's."""
    for call in checks:
        named = dict(call.context)
        if denied := _stock_enforce(access_key_id, call.action, service, region, call.resource, named):
            return denied
    return _allowed() if checks else _stock_enforce(access_key_id, iam_action, service, region, resource_arn, context)


def _allowed() -> Any:
    """The end of a request that was sent for its checks alone."""
    return iam_evaluator.AuthError(ALLOWED, "The checks are allowed; nothing was done.")


def _body() -> bytes:
    """The request's body as it is signed; empty once its signature was checked."""
    request = iam_evaluator._signed_request.get()
    return request.body if request else b""


def _role_session(access_key_id: str) -> Session | None:
    """The session of a role that the key belongs to; None for all other keys."""
    issued = sts._sessions.get(access_key_id)
    kind, _, path = str((issued or {}).get("Arn", "")).partition(":assumed-role/")
    if issued is None or not path or issued.get("SessionPolicies"):
        return None
    account, (role_name, session_name) = kind.split(":")[4], path.split("/", 1)
    record = role_record(f"arn:aws:iam::{account}:role/{role_name}")
    return None if record is None else session_of(record, session_name)


def _unauthenticated(access_key_id: str) -> Any:
    """What is wrong with the request's signature or its credentials, None if nothing is."""
    checked = iam_evaluator.authenticate(access_key_id, get_account_id())
    if checked is None:
        checked = iam_evaluator.resolve_principal(access_key_id, get_account_id())
    return checked if isinstance(checked, iam_evaluator.AuthError) else None


def _plain(value: Any) -> Any:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else str(value)


def _listing(action: str, resource: str) -> list[Call]:
    """Whoever may not list an object that is not there is not told that it is not (S3 API reference, GetObject).

    The key is the prefix that a condition sees: not documented, but observed by others (kopia, pull request 3072).
    """
    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    found = s3._buckets.get(bucket) if action == "s3:GetObject" else None
    if found is None or key in found["objects"]:
        return []
    return [Call("s3:ListBucket", f"arn:aws:s3:::{bucket}", (("s3:prefix", key),))]


def access_denied_response(service: str, action: str, principal_arn: str, request_id: str, **more: Any) -> Any:
    """The service's own answer, with the call that was denied: the request's own, or one that it implied."""
    denial = _denial.get()
    if denial is None or more.get("error_code"):
        return _stock_response(service, action, principal_arn, request_id, **more)
    _denial.set(None)
    code = _KEY_DENIED.get(service, "") if denial.action.startswith("kms:") else ""
    more |= {"message": str(denial), "resource_arn": denial.resource, "error_code": code}
    return _stock_response(service, denial.action, principal_arn, request_id, **more)


def evaluate_trust_policy(trust_policy: Any, caller_arn: str, context: Any = None) -> bool:
    """Whether a caller may assume a role. The account's root stands for the service that it says it is, or else for
    each that the policy names: what AWS starts by itself is started here by who has the root's credentials.
    """
    text = trust_policy if isinstance(trust_policy, str) else json.dumps(trust_policy)
    services = set(services_of(text))
    if not services or not caller_arn.endswith(":root"):
        return bool(_stock_trust(trust_policy, caller_arn, context))
    if claimed := on_behalf.service():
        return trusts(text, claimed, on_behalf.source_arn())
    return any(trusts(text, service, _source(service, parse_arn(caller_arn).account_id)) for service in services)


def _source(service: str, account: str) -> str:
    """What the root acts for: something of the service in the account."""
    return f"arn:aws:{service.partition('.')[0].removesuffix('-tasks')}:{get_region()}:{account}:local/session"


def execution_credentials(config: Any) -> dict[str, str]:
    """The session credentials of a function's role; raises AccessDeniedError if the role does not trust Lambda."""
    ServiceRole(config.get("Role", ""), LAMBDA, config["FunctionArn"]).check_calls(())
    credentials: dict[str, str] = _stock_credentials(config)
    return credentials


def service_credentials(role: ServiceRole, session: str) -> dict[str, str]:
    """The session credentials of a role that a service's own process works under, such as a job of Glue's.

    Raises AccessDeniedError if the role does not trust the service for the resource.
    """
    role.check_calls(())
    # Ministack makes a session for functions alone, from an ARN of which it takes the account.
    like_a_function = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{session}"
    made: dict[str, str] = _stock_credentials(
        {"Role": role.role_arn, "FunctionArn": like_a_function, "FunctionName": session}
    )
    return made
