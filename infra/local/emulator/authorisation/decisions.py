"""Whether a role may make a call: its policies, its boundary, and the policy of the resource or key.

`infra.iam.policy` evaluates; here are the policies that are in force in the local AWS and the condition keys that every
request has. A decision is made of nothing but the texts of the policies and the call, and kept for as long as they are
the same, so that it costs a look-up where a role does the same thing for every message.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, tagging

from infra.iam import policy
from infra.local.emulator.authorisation.denials import Denial

# What 500 devices and the services do again and again, with room.
KEPT_DECISIONS = 4_000
# A call on an object of S3 is hardly ever made twice.
_ON_OBJECTS = "arn:aws:s3:::"
# A decision by these keys is another one a moment later.
_OF_THE_MOMENT = ("aws:currenttime", "aws:epochtime")
# A key's policy has to allow it in any case (KMS developer guide, "Key policies in AWS KMS").
_RESOURCE_DECIDES = ("kms:",)

Keys = tuple[tuple[str, str], ...]
Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a role, with the texts of the policies that hold for it."""

    principal: policy.Principal
    policies: Texts
    boundary: Texts | None
    tags: Keys


@dataclass(frozen=True, slots=True)
class Call:
    """An action on a resource, with the condition keys (in lower case) that come with it."""

    action: str
    resource: str
    context: tuple[tuple[str, str | tuple[str, ...]], ...] = ()


def role_record(role_arn: str) -> Any:
    """IAM's record of a role, None if there is none."""
    arn = parse_arn(role_arn)
    return iam._roles.get_scoped(arn.account_id, None, arn.resource.rpartition("/")[2])


def session_of(role: Any, name: str) -> Session:
    """A session, of that name, of a role that IAM has a record of."""
    account = parse_arn(role["Arn"]).account_id
    attached = [iam_evaluator._resolve_managed_policy_document(arn, account) for arn in role["AttachedPolicies"]]
    boundary = role.get("PermissionsBoundary")
    limit = iam_evaluator._resolve_managed_policy_document(boundary, account) if boundary else None
    return Session(
        principal=policy.Principal.of_role(role["Arn"], name),
        policies=tuple(_text(document) for document in [*role["InlinePolicies"].values(), *attached] if document),
        boundary=(_text(limit or {}),) if boundary else None,
        tags=tuple((f"aws:principaltag/{tag['Key'].lower()}", tag["Value"]) for tag in role.get("Tags") or []),
    )


def decide(session: Session, call: Call) -> Denial | None:
    """Why a session may not make a call, None if it may; resources are those of the current request scope."""
    found = iam_evaluator._resource_policy(call.action.partition(":")[0], call.resource)
    of_resource, owner = (_text(found[0]) if found[0] else "", found[1]) if found else ("", get_account_id())
    texts = (*session.policies, *(session.boundary or ()), of_resource)
    if any(_names(text, "aws:resourcetag/") for text in texts):
        tags = tagging.resource_tags(call.resource) or {}
        named = tuple((f"aws:resourcetag/{name}".lower(), value) for name, value in sorted(tags.items()))
        call = Call(call.action, call.resource, call.context + named)
    if any(_names(text, key) for text in texts for key in _OF_THE_MOMENT):
        now = (("aws:currenttime", _now()), ("aws:epochtime", str(int(time.time()))))
        call = Call(call.action, call.resource, call.context + now)
    is_on_object = call.resource.startswith(_ON_OBJECTS) and "/" in call.resource
    return (_decision if is_on_object else _kept_decision)(session, call, of_resource, owner, get_region())


def _decision(session: Session, call: Call, of_resource: str, owner: str, region: str) -> Denial | None:
    caller = session.principal
    everywhere = {
        "aws:principalarn": str(caller.role_arn),
        "aws:principalaccount": str(caller.account),
        "aws:principaltype": "AssumedRole",
        "aws:requestedregion": region,
        "aws:resourceaccount": owner,
        # Loopback counts as TLS, see `transport.py`.
        "aws:securetransport": "true",
        "aws:sourceip": "127.0.0.1",
        "aws:viaawsservice": "false",
    }
    request = policy.Request(
        caller, call.action, call.resource, {**everywhere, **dict(session.tags), **dict(call.context)}
    )
    try:
        decision = policy.authorise(
            request,
            identity=[parsed(text) for text in session.policies],
            boundary=None if session.boundary is None else [parsed(text) for text in session.boundary],
            resource=[parsed(of_resource)] if of_resource else [],
            resource_decides=call.action.startswith(_RESOURCE_DECIDES),
            resource_account=owner,
        )
    except ValueError as error:
        return Denial(
            str(caller.arn), call.action, call.resource, f"because of a policy that AWS would not take: {error}"
        )
    return None if decision.allowed else Denial(str(caller.arn), call.action, call.resource, _reason(decision, call))


_kept_decision = lru_cache(KEPT_DECISIONS)(_decision)


def _reason(decision: policy.Decision, call: Call) -> str:
    kinds = {
        policy.Outcome.NO_RESOURCE_POLICY: "resource-based policy",
        policy.Outcome.NO_BOUNDARY: "permissions boundary",
    }
    if decision.outcome is policy.Outcome.EXPLICIT_DENY:
        of_resource = any(statement.principals for statement in decision.statements)
        return f"with an explicit deny in {'a resource' if of_resource else 'an identity'}-based policy"
    return f"because no {kinds.get(decision.outcome, 'identity-based policy')} allows the {call.action} action"


@lru_cache(1_000)
def parsed(text: str) -> policy.Policy:
    """A policy of its text. Raises ValueError, as `policy.parse`."""
    return policy.parse(json.loads(text))


def lets_in(text: str, service: str, action: str, resource: str, source_arn: str) -> bool:
    """Whether the policy of a role or a function lets a service in for a resource that it acts for."""
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": parse_arn(source_arn).account_id}
    request = policy.Request(policy.Principal.of_service(service), action, resource, context)
    return policy.authorise(request, resource=[parsed(text)], resource_decides=True).allowed


def services_of(text: str) -> Iterator[str]:
    """The services that a trust policy names."""
    for statement in parsed(text).statements:
        if statement.principals:
            yield from (value for kind, value in statement.principals.entries if kind == "Service")


@lru_cache(10_000)
def _names(text: str, key: str) -> bool:
    return key in text.lower()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document, sort_keys=True)
