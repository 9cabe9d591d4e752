"""Every route of the table of access, tried as everybody: each role, two tenants, nobody, and API keys."""

from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
import pytest

from iot_pipeline.console.access import ROUTES, scopes_of
from iot_pipeline.console.viewer import Role
from iot_pipeline_tests.support.console import RunningConsole, Sensor
from iot_pipeline_tests.support.emulator import eventually

USERS = {
    "admin": Role.ADMIN,
    "operator": Role.OPERATOR,
    "analyst": Role.ANALYST,
    "tenant-acme": Role.TENANT,
    "tenant-globex": Role.TENANT,
}
REFUSED = {401, 403}
Route = tuple[str, str]


def _own_key(client: httpx.Client) -> str:
    made = client.post("/api/keys", json={"name": "matrix", "scopes": ["me:read"]}).raise_for_status()
    return f"/api/keys/{made.json()['id']}"


# How a signed-in client comes to something of its own under a route's path; a route with a parameter needs an entry.


@cache
def _own_query(client: httpx.Client) -> str:
    """A query that has ended."""
    sql = "SELECT * FROM (VALUES (1, 'a')) AS t (number, name)"
    query = client.post("/api/queries", json={"sql": sql}).raise_for_status().json()["id"]
    assert eventually(lambda: client.get(f"/api/queries/{query}").json()["state"] == "SUCCEEDED", 60)
    return f"/api/queries/{query}"


@cache
def _own_device(client: httpx.Client) -> str:
    """A device of acme's that has an alert."""
    sensor = Sensor("acme")
    sensor.send(temperature=400.0)
    path = f"/api/devices/{sensor.name}"
    assert eventually(lambda: client.get(path).is_success and client.get(path).json()["alerts"]["data"], 60)
    return path


def _own_alert(client: httpx.Client) -> str:
    (alert,) = client.get(_own_device(client)).json()["alerts"]["data"]
    return f"/api/alerts/{alert['id']}/acknowledge"


OWN: dict[Route, Callable[[httpx.Client], str]] = {
    ("DELETE", "/api/keys/{key}"): _own_key,
    ("POST", "/api/alerts/{episode:path}/acknowledge"): _own_alert,
    ("GET", "/api/queries/{query}"): _own_query,
    ("POST", "/api/queries/{query}/cancel"): lambda client: f"{_own_query(client)}/cancel",
    ("GET", "/api/queries/{query}/rows"): lambda client: f"{_own_query(client)}/rows",
    ("GET", "/api/queries/{query}/result.csv"): lambda client: f"{_own_query(client)}/result.csv",
    ("GET", "/api/queries/{query}/result.parquet"): lambda client: f"{_own_query(client)}/result.parquet",
    ("GET", "/api/devices/{device}"): _own_device,
    ("GET", "/api/devices/{device}/quality"): lambda client: f"{_own_device(client)}/quality",
    ("GET", "/api/devices/{device}/series"): lambda client: f"{_own_device(client)}/series?metric=temperature",
}
# Everybody has names of their own here.
BY_NAME = {("PUT", "/api/saved-queries/{name}"), ("DELETE", "/api/saved-queries/{name}")}
FOR_TENANTS = [
    route
    for route, row in ROUTES.items()
    if "{" in route[1] and Role.TENANT in (row.roles or ()) and not row.page and route not in BY_NAME
]


@pytest.fixture(scope="module")
def clients(console: RunningConsole) -> dict[str, httpx.Client]:
    return {user: console.signed_in(user) for user in USERS}


def asked(client: httpx.Client, route: Route, path: str | None = None, **request: Any) -> int:
    """The status of an answer; its body is not read, for some have no end."""
    method, template = route
    body: dict[str, Any] | None = None if method in {"GET", "DELETE"} else {"reason": "a test"}
    with client.stream(method, path or template, json=body, **request) as answer:
        return answer.status_code


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_each_role_may_what_the_table_says(
    route: Route, console: RunningConsole, clients: dict[str, httpx.Client]
) -> None:
    row = ROUTES[route]
    for user, role in USERS.items():
        # Signing out is for a session that no other test has.
        client = console.signed_in(user) if route == ("POST", "/logout") else clients[user]
        status = asked(client, route)
        allowed = row.roles is None or role in row.roles
        assert (status not in REFUSED) if allowed else (status == 403), (user, route, status)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_nobody_may_what_needs_a_sign_in(route: Route, console: RunningConsole) -> None:
    status = asked(console.browser(), route)
    if ROUTES[route].roles is None:
        assert status not in REFUSED
    else:
        # A page sends its reader to sign in.
        assert status == 401 or (route[0] == "GET" and status == 303), status


@pytest.mark.parametrize("route", [route for route, row in ROUTES.items() if row.changes], ids=" ".join)
def test_a_change_needs_the_token_and_a_page_of_the_console(
    route: Route, console: RunningConsole, clients: dict[str, httpx.Client]
) -> None:
    client = clients["admin"] if Role.ADMIN in (ROUTES[route].roles or ()) else clients["tenant-acme"]
    for headers in (
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": clients["analyst"].headers["X-CSRF-Token"]},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        assert asked(client, route, headers=headers) == 403, headers


@pytest.mark.parametrize("route", FOR_TENANTS, ids=" ".join)
def test_a_tenant_finds_nothing_of_another(route: Route, clients: dict[str, httpx.Client]) -> None:
    assert route in OWN, "say in OWN how a tenant comes to something of its own here"
    path = OWN[route](clients["tenant-acme"])
    assert asked(clients["tenant-globex"], route, path) in {403, 404}
    assert asked(clients["tenant-acme"], route, path) < 400


def test_a_tenants_saved_queries_are_its_own(clients: dict[str, httpx.Client]) -> None:
    ours, theirs = clients["tenant-acme"], clients["tenant-globex"]
    ours.put("/api/saved-queries/mine", json={"sql": "SELECT 1 AS ours"}).raise_for_status()
    theirs.put("/api/saved-queries/mine", json={"sql": "SELECT 2 AS theirs"}).raise_for_status()
    theirs.delete("/api/saved-queries/mine").raise_for_status()
    assert [each["sql"] for each in ours.get("/api/saved-queries").json()] == ["SELECT 1 AS ours"]
    assert theirs.get("/api/saved-queries").json() == []


@pytest.fixture(scope="module")
def keys(console: RunningConsole, clients: dict[str, httpx.Client]) -> dict[tuple[str, str], httpx.Client]:
    """A client with an API key for each user and each scope that the user may give."""
    made = {}
    for user, role in USERS.items():
        for scope in sorted(scopes_of(role)):
            answer = clients[user].post("/api/keys", json={"name": scope, "scopes": [scope]}).raise_for_status()
            client = console.browser()
            client.headers["Authorization"] = f"Bearer {answer.json()['key']}"
            made[user, scope] = client
    return made


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_key_may_what_its_owner_and_its_scope_allow(route: Route, keys: dict[tuple[str, str], httpx.Client]) -> None:
    row = ROUTES[route]
    assert {user for user, _ in keys} == set(USERS)
    for (user, scope), client in keys.items():
        status = asked(client, route)
        allowed = row.roles is None or (USERS[user] in row.roles and scope == row.scope)
        assert (status not in REFUSED) if allowed else (status == 403), (user, scope, route, status)
