"""The console's data stack: its table fits the store, and the pool lets in whom administrators have made."""

from typing import Any

from infra.stacks.console import data_stack, users
from iot_pipeline.console.identity.people import person
from iot_pipeline.console.viewer import Role
from iot_pipeline_tests.support.templates import of_type, template, whole


def only(resource_type: str) -> dict[str, Any]:
    (found,) = of_type(template("TelemetryConsoleData"), resource_type).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_the_table_is_the_one_that_the_store_works_on() -> None:
    made = only("AWS::DynamoDB::Table")
    assert [key["AttributeName"] for key in made["KeySchema"]] == [data_stack.KEY, data_stack.SORT] == ["key", "sort"]
    assert made["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert made["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert made["SSESpecification"]["SSEType"] == "KMS"
    assert made["DeletionProtectionEnabled"]


def test_nobody_can_sign_up() -> None:
    made = only("AWS::Cognito::UserPool")
    assert made["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert made["DeletionProtection"] == "ACTIVE"
    assert (made["MfaConfiguration"], made["EnabledMfas"]) == ("ON", ["SOFTWARE_TOKEN_MFA"])
    assert made["Policies"]["PasswordPolicy"]["MinimumLength"] >= 14


def test_the_client_can_do_the_code_flow_alone() -> None:
    made = only("AWS::Cognito::UserPoolClient")
    assert made["AllowedOAuthFlows"] == ["code"]
    assert made["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert made["PreventUserExistenceErrors"] == "ENABLED"
    assert made["CallbackURLs"] == [f"{whole().console_address}/callback"]


def test_the_groups_are_the_roles_that_the_console_knows() -> None:
    groups = [each["Properties"]["GroupName"] for each in _groups()]
    assert sorted(groups) == sorted(users.ROLES) == sorted(role for role in Role if role is not Role.TENANT)
    known = {person({"sub": "1", "cognito:groups": [group]}).role.value for group in groups}
    assert known == set(groups)


def _groups() -> list[dict[str, Any]]:
    return list(of_type(template("TelemetryConsoleData"), "AWS::Cognito::UserPoolGroup").values())
