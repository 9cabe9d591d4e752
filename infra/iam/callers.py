"""Who makes a request, and whether a resource policy's Principal or NotPrincipal means him.

Sources: IAM user guide, "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal";
"Policy evaluation for requests within a single account", on boundaries.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from infra.iam.one_or_many import listed

_SESSION = re.compile(r"arn:([^:]+):sts::(\d{12}):assumed-role/([^/]+)/[^/]+")
_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")


@dataclass(frozen=True)
class Principal:
    """A user, a role's session, a service by its name (`firehose.amazonaws.com`), or nobody if all are None."""

    arn: str | None = None
    role_arn: str | None = None
    account: str | None = None
    service: str | None = None
    federated: str | None = None

    @classmethod
    def of_service(cls, service: str) -> "Principal":
        """A service that acts by itself."""
        return cls(service=service)

    @classmethod
    def of_role(cls, role_arn: str, session: str = "session") -> "Principal":
        """A session of a role."""
        partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
        name = role_arn.rsplit("/", 1)[-1]
        return cls(f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}", role_arn, account)

    @classmethod
    def of_user(cls, arn: str) -> "Principal":
        """A user, or the account's root."""
        return cls(arn, None, arn.split(":")[4])

    @property
    def anonymous(self) -> bool:
        """Whether nobody has signed."""
        return self.arn is None and self.service is None and self.federated is None


class Named(Enum):
    """How a statement names a caller."""

    ACCOUNT = auto()
    """By his account, which leaves it to the account's identity policies."""
    BY_NAME = auto()
    """By the role, or as everybody."""
    BEYOND_BOUNDARY = auto()
    """By a user's ARN or a session's: an implicit deny of a boundary does not limit that."""


@dataclass(frozen=True)
class PrincipalElement:
    """A statement's Principal (`negated` False) or NotPrincipal: (kind, value) pairs."""

    entries: tuple[tuple[str, str], ...]
    negated: bool

    def named(self, principal: Principal, *, allow: bool) -> Named | None:
        """How the caller is meant, None if he is not."""
        ways = [way for kind, value in self.entries if (way := _named(kind, value, principal)) is not None]
        if self.negated:
            return None if ways else Named.BY_NAME
        if not ways:
            return None
        # A denial by the account is one for everybody in it.
        best = max(ways, key=lambda way: way.value)
        return Named.BY_NAME if best is Named.ACCOUNT and not allow else best


def parse_principals(statement: Mapping[str, Any]) -> PrincipalElement | None:
    """A statement's principals, None for an identity policy. Raises ValueError for a kind that there is none of."""
    if "Principal" in statement and "NotPrincipal" in statement:
        raise ValueError("expected either Principal or NotPrincipal")
    for name in ("Principal", "NotPrincipal"):
        if name not in statement:
            continue
        if name == "NotPrincipal" and statement.get("Effect") == "Allow":
            raise ValueError("NotPrincipal with Allow lets everybody else in, nobody included; name the principals")
        return PrincipalElement(tuple(_entries(name, statement[name])), name == "NotPrincipal")
    return None


def _entries(name: str, value: Any) -> list[tuple[str, str]]:
    if value == "*":
        return [("AWS", "*")]
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is {value!r}; expected * or one of {', '.join(_KINDS)}")  # noqa: TRY004  a policy's text, not a mistake of the caller
    entries = [(kind, text) for kind, names in value.items() for text in listed(names)]
    for kind, text in entries:
        if kind not in _KINDS or not isinstance(text, str):
            raise ValueError(f"{name} {kind} {text!r}: expected a plain text of one of {', '.join(_KINDS)}")
    return entries


def _named(kind: str, value: str, principal: Principal) -> Named | None:
    if kind == "AWS" and value == "*":
        # Everybody: services too, and who has not signed.
        return Named.BY_NAME
    if kind == "Service":
        return Named.BY_NAME if principal.service == value else None
    if kind == "Federated":
        return Named.BY_NAME if principal.federated == value else None
    if kind == "CanonicalUser" or principal.arn is None:
        return None
    if value == principal.role_arn or value == _role_of(principal.arn):
        return Named.BY_NAME
    if value == principal.arn:
        return Named.BEYOND_BOUNDARY
    if principal.account and (
        value == principal.account or re.fullmatch(rf"arn:[^:]+:iam::{principal.account}:root", value)
    ):
        return Named.ACCOUNT
    return None


def _role_of(arn: str) -> str | None:
    session = _SESSION.fullmatch(arn)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else None
