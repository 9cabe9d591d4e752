"""Who asks: a person or a script, in a role, of one tenant or of the platform."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the platform. The first three are of whoever runs it, and see all tenants."""

    ADMIN = "admin"
    OPERATOR = "operator"
    ANALYST = "analyst"
    TENANT = "tenant"


@dataclass(frozen=True)
class Viewer:
    """Who asks. `tenant` is None for the platform's own people, who see all tenants, and never None for a tenant's.

    `key` is the id of the API key that was presented, None where a person is signed in; `scopes` are the key's.
    """

    name: str
    role: Role
    tenant: str | None = None
    key: str | None = None
    scopes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Raises ValueError for a tenant's user without a tenant, or one of the platform's with one."""
        if (self.role is Role.TENANT) != (self.tenant is not None):
            raise ValueError(f"{self.name}: a viewer has a tenant if, and only if, the role is {Role.TENANT}")

    def sees(self, tenant: str) -> bool:
        """Whether rows of a tenant are this viewer's to see."""
        return self.tenant is None or self.tenant == tenant
