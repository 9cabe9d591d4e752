"""Who may do what: one row a route. A route without a row keeps the service from starting.

Rows that a viewer gets to see are those of `Viewer.sees`: that is each route's own duty, and the walk over this table
in the tests tries every route as each role with its own and with a foreign tenant.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from iot_pipeline.console.viewer import Role

STAFF = frozenset({Role.ADMIN, Role.OPERATOR, Role.ANALYST})
EVERYONE = frozenset(Role)
OPERATORS = frozenset({Role.ADMIN, Role.OPERATOR})
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True)
class Access:
    """Who may call a route.

    `roles` is None for what needs no sign-in. `changes` marks what changes something: it needs the CSRF token of its
    session, and is audited. `scope` is the scope that an API key needs; None keeps API keys out. Whoever asks for a
    `page` without being signed in is sent to sign in.
    """

    roles: frozenset[Role] | None
    changes: bool = False
    scope: str | None = None
    page: bool = False


ROUTES: dict[tuple[str, str], Access] = {
    ("GET", "/healthz"): Access(None),
    # Pages.
    ("GET", "/"): Access(EVERYONE, page=True),
    ("GET", "/pipeline"): Access(STAFF, page=True),
    ("GET", "/queries"): Access(EVERYONE, page=True),
    ("GET", "/api/docs"): Access(EVERYONE, page=True),
    ("GET", "/devices/{device}"): Access(EVERYONE, page=True),
    ("GET", "/admin"): Access(OPERATORS, page=True),
    ("GET", "/keys"): Access(EVERYONE, page=True),
    # What is live, and alerts.
    ("GET", "/api/live/stream"): Access(EVERYONE),
    ("POST", "/api/alerts/{episode:path}/acknowledge"): Access(OPERATORS | {Role.TENANT}, changes=True, scope="alerts"),
    ("GET", "/api/sites"): Access(EVERYONE),
    ("GET", "/api/layout"): Access(EVERYONE),
    ("PUT", "/api/layout"): Access(EVERYONE, changes=True),
    ("GET", "/api/silences"): Access(EVERYONE, scope="alerts"),
    ("POST", "/api/silences"): Access(OPERATORS | {Role.TENANT}, changes=True, scope="alerts"),
    # Queries.
    ("GET", "/api/openapi.json"): Access(EVERYONE, scope="query"),
    ("GET", "/api/tables"): Access(EVERYONE, scope="query"),
    ("GET", "/api/query-limits"): Access(EVERYONE, scope="query"),
    ("POST", "/api/queries/validate"): Access(EVERYONE, scope="query"),
    ("POST", "/api/queries/estimate"): Access(EVERYONE, scope="query"),
    ("POST", "/api/queries"): Access(EVERYONE, changes=True, scope="query"),
    ("GET", "/api/queries"): Access(EVERYONE, scope="query"),
    ("GET", "/api/queries/{query}"): Access(EVERYONE, scope="query"),
    ("POST", "/api/queries/{query}/cancel"): Access(EVERYONE, changes=True, scope="query"),
    ("GET", "/api/queries/{query}/rows"): Access(EVERYONE, scope="query"),
    ("GET", "/api/queries/{query}/result.csv"): Access(EVERYONE, scope="query"),
    ("GET", "/api/queries/{query}/result.parquet"): Access(EVERYONE, scope="query"),
    ("GET", "/api/saved-queries"): Access(EVERYONE, scope="query"),
    ("PUT", "/api/saved-queries/{name}"): Access(EVERYONE, changes=True, scope="query"),
    ("DELETE", "/api/saved-queries/{name}"): Access(EVERYONE, changes=True, scope="query"),
    ("GET", "/login"): Access(None),
    ("GET", "/callback"): Access(None),
    ("GET", "/signed-out"): Access(None),
    ("POST", "/logout"): Access(EVERYONE, changes=True),
    ("GET", "/api/me"): Access(EVERYONE, scope="me:read"),
    ("GET", "/api/keys"): Access(EVERYONE),
    ("POST", "/api/keys"): Access(EVERYONE, changes=True),
    ("DELETE", "/api/keys/{key}"): Access(EVERYONE, changes=True),
    # Pipeline health. The pipeline is the platform's own: a tenant sees how its data fares on its devices' pages.
    ("GET", "/api/health"): Access(STAFF, scope="health:read"),
    ("GET", "/api/health/{tile}"): Access(STAFF, scope="health:read"),
    ("GET", "/api/health/hours/{hour}/books"): Access(STAFF, scope="health:read"),
    # What admins change.
    ("POST", "/api/admin/devices"): Access(ADMINS, changes=True),
    ("POST", "/api/admin/devices/{device}/move"): Access(ADMINS, changes=True),
    ("POST", "/api/admin/devices/{device}/decommission"): Access(ADMINS, changes=True),
    ("GET", "/api/admin/rules"): Access(OPERATORS),
    ("GET", "/api/admin/rules/history"): Access(OPERATORS),
    ("POST", "/api/admin/rules"): Access(ADMINS, changes=True),
    ("POST", "/api/admin/rules/{rule}/end"): Access(ADMINS, changes=True),
    # A dry run changes nothing, and is billed.
    ("POST", "/api/admin/rules/try"): Access(OPERATORS),
    ("GET", "/api/admin/people"): Access(ADMINS),
    ("POST", "/api/admin/people"): Access(ADMINS, changes=True),
    ("PUT", "/api/admin/people/{name}/role"): Access(ADMINS, changes=True),
    ("POST", "/api/admin/people/{name}/disable"): Access(ADMINS, changes=True),
    ("POST", "/api/admin/people/{name}/enable"): Access(ADMINS, changes=True),
    # Devices: a tenant's people see its own, row by row.
    ("GET", "/api/devices"): Access(EVERYONE, scope="devices:read"),
    ("GET", "/api/devices/{device}"): Access(EVERYONE, scope="devices:read"),
    ("GET", "/api/devices/{device}/quality"): Access(EVERYONE, scope="devices:read"),
    ("GET", "/api/devices/{device}/series"): Access(EVERYONE, scope="devices:read"),
}


def of_route(method: str, path: str) -> Access:
    """The row of a route, given by its template such as `/api/devices/{device}`. Raises KeyError without one."""
    return ROUTES[(method, path)]


def scopes_of(role: Role) -> set[str]:
    """The scopes that a key of somebody in a role can have."""
    return {row.scope for row in ROUTES.values() if row.scope is not None and role in (row.roles or ())}


def check(routes: Iterable[BaseRoute]) -> None:
    """Raises ValueError naming each route without a row, and each row without a route."""
    present = set(_rows(routes))
    missing, idle = present - set(ROUTES), set(ROUTES) - present
    if missing or idle:
        raise ValueError(f"console/access.py: without a row: {sorted(missing)}; without a route: {sorted(idle)}")


def _rows(routes: Iterable[BaseRoute]) -> Iterable[tuple[str, str]]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods or ())
