"""Whether a role may make a call: its policies, its boundary, and the policy of the resource or key.

IAM user guide, "Policy evaluation logic": a Deny anywhere wins; within an account an Allow of the identity or of the
resource is enough; KMS developer guide, "Key policies in AWS KMS": a key's policy must allow, by itself or by leaving
it to IAM. The evaluation is ministack's. A decision is made of nothing but the texts of the policies and the call, and
kept for as long as they are the same, so that it costs a look-up where a role does the same thing for every message.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from infra.local.emulator.iam.denials import Denial

KEPT_DECISIONS = 20_000
# A decision by these keys is another one a moment later.
_OF_THE_MOMENT = ("aws:currenttime", "aws:epochtime", "aws:tokenissuetime")

_stock_parse = iam_evaluator.parse_policy_document

Texts = tuple[str, ...]


@dataclass(frozen=True)
class Principal:
    """A session of a role, with the texts of the policies that hold for it."""

    arn: str
    account: str
    policies: Texts
    boundary: Texts | None
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Call:
    """An action on a resource, with the condition keys (in lower case) that come with it."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


def role_record(role_arn: str) -> Any:
    """IAM's record of a role, None if there is none."""
    arn = parse_arn(role_arn)
    return iam._roles.get_scoped(arn.account_id, None, arn.resource.rpartition("/")[2])


def session_of(role_arn: str, session: str) -> Principal:
    """A session of a role. Raises KeyError for a role that does not exist."""
    role, account = role_record(role_arn), parse_arn(role_arn).account_id
    if role is None:
        raise KeyError(role_arn)
    attached = [iam_evaluator._resolve_managed_policy_document(arn, account) for arn in role["AttachedPolicies"]]
    boundary = role.get("PermissionsBoundary")
    limit = iam_evaluator._resolve_managed_policy_document(boundary, account) if boundary else None
    return Principal(
        arn=f"arn:aws:sts::{account}:assumed-role/{role_arn.rpartition('/')[2]}/{session}",
        account=account,
        policies=tuple(_text(document) for document in [*role["InlinePolicies"].values(), *attached] if document),
        boundary=(_text(limit or {}),) if boundary else None,
        tags=tuple((tag["Key"].lower(), tag["Value"]) for tag in role.get("Tags") or []),
    )


def decide(principal: Principal, call: Call) -> Denial | None:
    """Why a principal may not make a call, None if it may; resources are those of the current request scope."""
    service = call.action.partition(":")[0]
    found = iam_evaluator._resource_policy(service, call.resource)
    policy, owner = (_text(found[0]), found[1]) if found else (None, get_account_id())
    texts = (*principal.policies, policy or "")
    evaluate = _kept_decision.__wrapped__ if any(_is_of_the_moment(text) for text in texts) else _kept_decision
    denial: Denial | None = evaluate(principal, call, policy, owner, get_region())
    return denial


@lru_cache(KEPT_DECISIONS)
def _kept_decision(principal: Principal, call: Call, policy: str | None, owner: str, region: str) -> Denial | None:
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type="AssumedRole",
        principal_account=principal.account,
        action=call.action,
        resource_arn=call.resource,
        region=region,
        service_context=dict(call.context),
        principal_keys={f"aws:principaltag/{key}": value for key, value in principal.tags},
    )
    limits = [] if principal.boundary is None else [[parsed(text) for text in principal.boundary]]
    result = iam_evaluator.evaluate(context, [parsed(text) for text in principal.policies], *limits)
    if policy is not None:
        required = call.action.startswith("kms:")
        result = iam_evaluator.combine_resource_policy(result, context, policy, owner, required, limits)
    if result.decision == "Allow":
        return None
    kind = "a resource-based policy" if result.resource_policy_arn else "an identity-based policy"
    reason = f"because no identity-based policy allows the {call.action} action"
    return Denial(
        principal.arn,
        call.action,
        call.resource,
        f"with an explicit deny in {kind}" if result.decision == "Deny" else reason,
    )


def parse(document: Any) -> Any:
    """A policy's statements; a text is parsed once."""
    return parsed(document) if isinstance(document, str) else _stock_parse(document)


@lru_cache(1_000)
def parsed(text: str) -> Any:
    """The statements of a policy's text."""
    return _stock_parse(text)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document, sort_keys=True)


@lru_cache(1_000)
def _is_of_the_moment(text: str) -> bool:
    lower = text.lower()
    return any(key in lower for key in _OF_THE_MOMENT)
