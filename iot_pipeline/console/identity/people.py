"""Who somebody is by the claims of a token: the name, and by the groups the role and the tenant."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iot_pipeline.console.viewer import Role, Viewer

# Cognito's claim. No user can put himself into a group.
GROUPS = "cognito:groups"
# A tenant's users are in the group `tenant:<id>`, with the id that the registry has.
_TENANT = re.compile(r"tenant:([A-Za-z0-9_.:-]{1,128})")
_PLATFORM = {role.value: role for role in Role if role is not Role.TENANT}


class RoleError(Exception):
    """Somebody has no role, several, or one that is not known. The text names them."""


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in. `subject` is the provider's id, which no other person ever gets."""

    subject: str
    name: str
    role: Role
    tenant: str | None

    def viewer(self) -> Viewer:
        """The same, as the one who asks."""
        return Viewer(self.name, self.role, self.tenant)


def person(claims: Mapping[str, Any]) -> Person:
    """The person of a checked token's claims. Raises RoleError."""
    subject = str(claims["sub"])
    name = str(claims.get("cognito:username") or subject)
    groups = claims.get(GROUPS) or []
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise RoleError(f"{name}: {GROUPS} is no list of texts")
    role, tenant = role_of(name, groups)
    return Person(subject, name, role, tenant)


def role_of(name: str, groups: Sequence[str]) -> tuple[Role, str | None]:
    """The role and the tenant of somebody in these groups. Raises RoleError."""
    if len(groups) != 1:
        raise RoleError(f"{name} must be in exactly one group, and is in {', '.join(sorted(groups)) or 'none'}")
    (group,) = groups
    if found := _TENANT.fullmatch(group):
        return Role.TENANT, found[1]
    if group not in _PLATFORM:
        raise RoleError(f"{name} is in the unknown group {group!r}; known are {', '.join(_PLATFORM)} and tenant:<id>")
    return _PLATFORM[group], None


def group_of(role: Role, tenant: str | None) -> str:
    """The group of a role: the inverse of `role_of`."""
    return role.value if tenant is None else f"tenant:{tenant}"
