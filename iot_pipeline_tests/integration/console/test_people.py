"""People are let in, given another role and shut out, and what they could do before ends at once."""

from typing import Any

import boto3
import httpx
import psycopg
import pytest

from infra.local.session.platform import Platform
from iot_pipeline.registry.sites import apply
from iot_pipeline_tests.support.console import RunningConsole, walk_in
from iot_pipeline_tests.support.emulator import eventually, unique
from iot_pipeline_tests.support.registry import catalog

PEOPLE = "/api/admin/people"
PASSWORD = "Chosen-by-a-person-7"


@pytest.fixture(scope="module")
def admin(console: RunningConsole) -> httpx.Client:
    return console.signed_in("admin")


@pytest.fixture(scope="module")
def pool(platform: Platform) -> str:
    return platform.deployed.outputs["ConsoleUserPool"]


@pytest.fixture
def name(admin: httpx.Client, pool: str, console: RunningConsole) -> str:
    """An analyst who was let in and has chosen a password."""
    made = unique("person")
    wanted = {"name": made, "role": "analyst", "reason": "new colleague"}
    answer = admin.post(PEOPLE, json=wanted)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    cognito: Any = boto3.client("cognito-idp")
    assert answer.json()["password"]
    # As the provider's own page does at the first sign-in.
    cognito.admin_set_user_password(UserPoolId=pool, Username=made, Password=PASSWORD, Permanent=True)
    console.passwords[made] = PASSWORD
    return made


def _ended(client: httpx.Client) -> bool:
    return client.get("/api/me").status_code == 401


def test_another_role_ends_what_was_and_begins_with_the_next_sign_in(
    console: RunningConsole, admin: httpx.Client, name: str
) -> None:
    before = console.signed_in(name)
    assert before.get("/api/me").json()["role"] == "analyst"
    given = admin.put(f"{PEOPLE}/{name}/role", json={"role": "operator", "reason": "on call"})
    assert given.status_code == 200, given.text
    assert (given.json()["role"], given.json()["problem"]) == ("operator", None)
    assert _ended(before)
    assert console.signed_in(name).get("/api/me").json()["role"] == "operator"


def test_who_is_shut_out_has_no_session_no_key_and_no_sign_in(
    console: RunningConsole, admin: httpx.Client, name: str
) -> None:
    client = console.signed_in(name)
    key = client.post("/api/keys", json={"name": "script", "scopes": ["me:read"]}).raise_for_status().json()["key"]
    script = console.browser()
    script.headers["Authorization"] = f"Bearer {key}"
    assert script.get("/api/me").json()["role"] == "analyst"
    shut = admin.post(f"{PEOPLE}/{name}/disable", json={"reason": "has left"}).raise_for_status().json()
    assert shut["enabled"] is False
    assert _ended(client)
    assert _ended(script)
    with pytest.raises(AssertionError):
        walk_in(console.browser(), name, PASSWORD)
    admin.post(f"{PEOPLE}/{name}/enable", json={"reason": "is back"}).raise_for_status()
    assert walk_in(console.browser(), name, PASSWORD).status_code == 303


def test_a_tenants_person_needs_a_tenant_of_the_registry(
    console: RunningConsole, admin: httpx.Client, name: str, registry: psycopg.Connection[Any]
) -> None:
    path, tenant = f"{PEOPLE}/{name}/role", unique("tenant")
    wanted = {"role": "tenant", "tenant": tenant, "reason": "their own fleet"}
    unknown = admin.put(path, json=wanted)
    assert (unknown.status_code, unknown.json()["type"]) == (422, "unknown_reference")
    assert tenant in unknown.json()["detail"]
    apply(registry, catalog(tenant))
    registry.commit()
    assert admin.put(path, json=wanted).raise_for_status().json()["tenant"] == tenant
    me = console.signed_in(name).get("/api/me").json()
    assert (me["role"], me["tenant"]) == ("tenant", tenant)


def test_what_cannot_be_is_refused_by_name(admin: httpx.Client, name: str) -> None:
    for method, path, body, status, kind, words in (
        ("PUT", f"/{name}/role", {"role": "tenant"}, 422, "invalid_request", "comes with a tenant"),
        ("PUT", f"/{name}/role", {"role": "analyst", "tenant": "acme"}, 422, "invalid_request", "no other does"),
        ("PUT", f"/{name}/role", {"role": "root"}, 422, "invalid_request", "body.role"),
        ("PUT", "/admin/role", {"role": "analyst"}, 409, "own_role", "is you"),
        ("POST", "/Admin/disable", {}, 409, "own_role", "is you"),
        ("POST", "/nobody/disable", {}, 422, "refused", "nobody of this name"),
        ("POST", "", {"name": name, "role": "analyst"}, 422, "refused", "already"),
        ("POST", "", {"name": "a b", "role": "analyst"}, 422, "invalid_request", "body.name"),
    ):
        answer = admin.request(method, f"{PEOPLE}{path}", json=body | {"reason": "because"})
        assert (answer.status_code, answer.json()["type"]) == (status, kind), answer.text
        assert words in answer.json()["detail"]


def test_who_could_not_sign_in_is_shown_with_the_reason(admin: httpx.Client, name: str, pool: str) -> None:
    cognito: Any = boto3.client("cognito-idp")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName="admin")

    def shown() -> dict[str, Any]:
        (found,) = (each for each in admin.get(PEOPLE).json() if each["name"] == name)
        return dict(found)

    assert shown()["role"] is None
    assert "exactly one group" in shown()["problem"]
    admin.put(f"{PEOPLE}/{name}/role", json={"role": "analyst", "reason": "one role"}).raise_for_status()
    assert eventually(lambda: shown()["role"] == "analyst")
