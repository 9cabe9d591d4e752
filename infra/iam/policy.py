"""Whether IAM lets a request through: identity policies, a boundary, resource and key policies, trust policies.

Pure functions over policy documents. Source: IAM user guide, "Policy evaluation logic" with "Policy evaluation for
requests within a single account" and "Cross-account policy evaluation logic". Organisations' policies (SCP, RCP) and
session policies are not part of it: nothing here makes any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infra.iam.callers import Named, Principal, PrincipalElement, parse_principals
from infra.iam.conditions import Condition, parse_conditions
from infra.iam.one_or_many import listed
from infra.iam.patterns import CURRENT_VERSION, Context, context_of, matches_action, matches_arn

__all__ = ["Decision", "Outcome", "Policy", "Principal", "Request", "Statement", "authorise", "evaluate", "parse"]


@dataclass(frozen=True)
class Request:
    """What is asked: an action such as `s3:GetObject` on an ARN (`*` where the action has no resource).

    `context` holds condition keys as AWS spells them; the case of their names is nothing.
    """

    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    sid: str
    allow: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    principals: PrincipalElement | None
    variables: bool

    def applies(self, request: Request) -> bool:
        """Whether action, resource and conditions are the request's; of the principal see `named`."""
        context = context_of(request.context)
        return (
            self.covers_action(request.action)
            and self.covers_resource(request.resource, context)
            and all(condition.holds(context, variables=self.variables) for condition in self.conditions)
        )

    def covers_action(self, action: str) -> bool:
        """Whether Action or NotAction include it."""
        if self.not_actions:
            return not any(matches_action(pattern, action) for pattern in self.not_actions)
        return any(matches_action(pattern, action) for pattern in self.actions)

    def covers_resource(self, resource: str, context: Context) -> bool:
        """Whether Resource or NotResource include it; a trust policy has neither, and is about its role alone.

        A request without a resource (`*`) is covered by `*` alone.
        """
        if self.not_resources:
            return not any(self._fits(pattern, resource, context) for pattern in self.not_resources)
        return not self.resources or any(self._fits(pattern, resource, context) for pattern in self.resources)

    def _fits(self, pattern: str, resource: str, context: Context) -> bool:
        if resource == "*":
            return pattern == "*"
        return matches_arn(pattern, resource, context, variables=self.variables)


@dataclass(frozen=True)
class Policy:
    """A parsed policy document."""

    statements: tuple[Statement, ...]


class Outcome(StrEnum):
    """How a decision came about."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "a statement denies it"
    NO_IDENTITY_POLICY = "no identity policy allows it"
    NO_RESOURCE_POLICY = "the resource's policy does not allow it"
    NO_BOUNDARY = "the permissions boundary does not allow it"


@dataclass(frozen=True)
class Decision:
    """The outcome, and the statements that made it: those that deny, or those that allow."""

    outcome: Outcome
    statements: tuple[Statement, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the request is let through."""
        return self.outcome is Outcome.ALLOWED


def parse(document: Mapping[str, Any]) -> Policy:
    """A policy document, whose values are all plain. Raises ValueError that names the statement and what is wrong."""
    version = document.get("Version", "2008-10-17")
    if version not in (CURRENT_VERSION, "2008-10-17"):
        raise ValueError(f"Version {version!r}: expected {CURRENT_VERSION} or 2008-10-17")
    return Policy(
        tuple(
            _statement(place, made, variables=version == CURRENT_VERSION)
            for place, made in enumerate(listed(document.get("Statement", ())))
        )
    )


def evaluate(policies: Sequence[Policy], request: Request, *, resource_based: bool = False) -> Decision:
    """What policies of one kind say by themselves: denied, allowed, or neither.

    With `resource_based`, statements count whose principal is the caller or his account; without it, all.
    """
    applying = [
        statement
        for policy in policies
        for statement in policy.statements
        if (not resource_based or named(statement, request.principal)) and statement.applies(request)
    ]
    if denying := tuple(statement for statement in applying if not statement.allow):
        return Decision(Outcome.EXPLICIT_DENY, denying)
    if applying:
        return Decision(Outcome.ALLOWED, tuple(applying))
    return Decision(Outcome.NO_RESOURCE_POLICY if resource_based else Outcome.NO_IDENTITY_POLICY)


def authorise(
    request: Request,
    *,
    identity: Sequence[Policy] = (),
    boundary: Sequence[Policy] | None = None,
    resource: Sequence[Policy] = (),
    resource_decides: bool = False,
    resource_account: str | None = None,
) -> Decision:
    """Whether the request is let through.

    Args:
        request: who asks for what, in which context.
        identity: all policies of the caller, inline and attached; a service and nobody have none.
        boundary: the caller's permissions boundary, None if there is none.
        resource: the policies of the resource: of a bucket, a queue, a topic, a key, a secret, a role's trust.
        resource_decides: for keys and trusts, whose policy has to allow it in any case, be it by naming the account.
        resource_account: whose the resource is, None for the caller's own account.

    An identity policy and a resource policy of the same account are ORed; of another account, both have to allow it.

    """
    by_identity = evaluate(identity, request)
    by_resource = evaluate(resource, request, resource_based=True)
    by_boundary = None if boundary is None else evaluate(boundary, request)
    for decision in (by_identity, by_resource, by_boundary):
        if decision is not None and decision.outcome is Outcome.EXPLICIT_DENY:
            return decision
    caller = request.principal
    ways = {named(statement, caller) for statement in by_resource.statements}
    direct = tuple(one for one in by_resource.statements if named(one, caller) is not Named.ACCOUNT)
    foreign = resource_account is not None and resource_account != caller.account
    if (foreign or resource_decides or caller.service) and not by_resource.allowed:
        return Decision(Outcome.NO_RESOURCE_POLICY)
    if caller.service or caller.anonymous:
        return Decision(Outcome.ALLOWED, direct) if direct else Decision(Outcome.NO_RESOURCE_POLICY)
    within = by_boundary is None or by_boundary.allowed
    if direct and not foreign and (within or Named.BEYOND_BOUNDARY in ways):
        return Decision(Outcome.ALLOWED, direct)
    if not by_identity.allowed:
        return Decision(Outcome.NO_BOUNDARY if direct and not foreign else Outcome.NO_IDENTITY_POLICY)
    if not within:
        return Decision(Outcome.NO_BOUNDARY)
    return Decision(Outcome.ALLOWED, by_identity.statements)


def named(statement: Statement, principal: Principal) -> Named | None:
    """How a resource policy's statement names the caller, None if it does not."""
    if statement.principals is None:
        return None
    return statement.principals.named(principal, allow=statement.allow)


def _statement(place: int, made: Mapping[str, Any], *, variables: bool) -> Statement:
    where = f"statement {made.get('Sid') or place}"
    if made.get("Effect") not in ("Allow", "Deny"):
        raise ValueError(f"{where}: Effect is {made.get('Effect')!r}; expected Allow or Deny")
    if ("Action" in made) == ("NotAction" in made):
        raise ValueError(f"{where}: expected either Action or NotAction")
    if "Resource" in made and "NotResource" in made:
        raise ValueError(f"{where}: expected either Resource or NotResource")
    values = {name: tuple(listed(made.get(name, ()))) for name in ("Action", "NotAction", "Resource", "NotResource")}
    for name, texts in values.items():
        for text in texts:
            _check_text(f"{where}: {name}", name, text)
    try:
        return Statement(
            sid=str(made.get("Sid", "")),
            allow=made["Effect"] == "Allow",
            actions=values["Action"],
            not_actions=values["NotAction"],
            resources=values["Resource"],
            not_resources=values["NotResource"],
            conditions=parse_conditions(made.get("Condition", {})),
            principals=parse_principals(made),
            variables=variables,
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _check_text(where: str, name: str, text: object) -> None:
    if not isinstance(text, str):
        raise ValueError(f"{where} is {text!r}; expected a text, all of CloudFormation's functions resolved")  # noqa: TRY004  a policy's text, not a mistake of the caller
    kind = "arn:" if name.endswith("Resource") else ":"
    if text != "*" and (not text.startswith(kind) if kind == "arn:" else kind not in text):
        raise ValueError(f"{where} is {text!r}; expected {'an ARN' if kind == 'arn:' else 'service:Operation'} or *")
