"""Who somebody is by the groups of a token."""

from typing import Any

import pytest

from iot_pipeline.console.identity.people import RoleError, person
from iot_pipeline.console.viewer import Role


def claims(groups: Any) -> dict[str, Any]:
    return {"sub": "1", "cognito:username": "ada", "cognito:groups": groups}


@pytest.mark.parametrize(
    ("group", "role", "tenant"),
    [
        ("admin", Role.ADMIN, None),
        ("operator", Role.OPERATOR, None),
        ("analyst", Role.ANALYST, None),
        ("tenant:acme", Role.TENANT, "acme"),
        ("tenant:a.b:c-1", Role.TENANT, "a.b:c-1"),
    ],
)
def test_a_group_is_a_role(group: str, role: Role, tenant: str | None) -> None:
    found = person(claims([group]))
    assert (found.name, found.role, found.tenant) == ("ada", role, tenant)


@pytest.mark.parametrize(
    ("groups", "named"),
    [
        ([], "none"),
        (None, "none"),
        (["admin", "tenant:acme"], "admin, tenant:acme"),
        (["tenant:acme", "tenant:globex"], "tenant:acme, tenant:globex"),
        (["root"], "unknown group 'root'"),
        (["Admin"], "unknown group 'Admin'"),
        (["tenant"], "unknown group 'tenant'"),
        (["tenant:"], "unknown group 'tenant:'"),
        (["tenant:acme\n"], "unknown group"),
        (["tenant:a/b"], "unknown group"),
        ("admin", "no list of texts"),
        ([7], "no list of texts"),
    ],
)
def test_anything_else_is_refused_by_name(groups: Any, named: str) -> None:
    with pytest.raises(RoleError, match=named) as refused:
        person(claims(groups))
    assert "ada" in str(refused.value)


def test_an_attribute_that_a_user_can_write_is_no_role_and_no_name() -> None:
    written = {"custom:tenant": "acme", "custom:role": "admin", "preferred_username": "boss"}
    assert person({"sub": "1", "cognito:groups": ["analyst"], **written}).name == "1"
