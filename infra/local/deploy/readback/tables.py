"""DynamoDB's tables."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting
from infra.local.deploy.resources import Resource


def table(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::DynamoDB::Table: keys and indexes are what every call depends on; the rest protects the items."""
    dynamodb, table_name, asked = clients.dynamodb, resource.physical_id, resource.properties

    def field(key: str) -> Any:
        return dynamodb.describe_table(TableName=table_name)["Table"].get(key)

    def update(key: str, value: Any) -> Any:
        return dynamodb.update_table(TableName=table_name, **{key: value})

    for key, value in asked.items():
        match key:
            case "TableName" | "KeySchema":
                yield Setting(key, value, partial(field, key), needed=True)
            case "AttributeDefinitions":
                yield Setting(key, _by(value, "AttributeName"), lambda: _by(field("AttributeDefinitions"), _ATTRIBUTE))
            case "GlobalSecondaryIndexes":
                indexes = partial(_indexes, field)
                yield Setting(key, _by(value, "IndexName"), indexes, needed=True)
            case "BillingMode":
                yield Setting(
                    key,
                    value,
                    lambda: (field("BillingModeSummary") or {}).get("BillingMode"),
                    partial(update, key, value),
                )
            case "DeletionProtectionEnabled":
                yield Setting(key, value, partial(field, key), partial(update, key, value))
            case "SSESpecification":
                api = {"Enabled" if name == "SSEEnabled" else name: part for name, part in value.items()}
                yield Setting(key, _encrypted(value), lambda: field("SSEDescription"), partial(update, key, api))
            case "TimeToLiveSpecification":
                yield _time_to_live(clients, table_name, value)
            case "PointInTimeRecoverySpecification":
                yield _recovery(clients, table_name, value)


_ATTRIBUTE = "AttributeName"


def _time_to_live(clients: Clients, name: str, wanted: Any) -> Setting:
    dynamodb = clients.dynamodb

    def read() -> Any:
        found = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        on = found.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
        return {"AttributeName": found.get("AttributeName"), "Enabled": on}

    def apply() -> object:
        return dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)

    return Setting("TimeToLiveSpecification", wanted, read, apply)


def _recovery(clients: Clients, name: str, wanted: Any) -> Setting:
    dynamodb = clients.dynamodb

    def read() -> Any:
        found = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        return {"PointInTimeRecoveryEnabled": status == "ENABLED"}

    def apply() -> object:
        return dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=wanted)

    return Setting("PointInTimeRecoverySpecification", wanted, read, apply)


def _encrypted(specification: Any) -> dict[str, Any]:
    """What DescribeTable answers of an SSESpecification."""
    return {
        "Status": "ENABLED",
        "SSEType": specification.get("SSEType", "KMS"),
        "KMSMasterKeyArn": specification["KMSMasterKeyId"],
    }


def _indexes(field: Any) -> Any:
    return _by(field("GlobalSecondaryIndexes"), "IndexName")


def _by(items: Any, name: str) -> dict[str, Any]:
    return {item[name]: item for item in items or []}
