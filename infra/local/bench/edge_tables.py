"""The edge's two tables without its stack, for what measures or tries the edge alone."""

from typing import Any

from infra.stacks.edge.tables import ALERT_INDEXES


def make_tables(dynamodb: Any, states: str, alerts: str) -> None:
    """The two tables, with the keys and indexes that the stack gives them."""
    dynamodb.create_table(
        TableName=states,
        KeySchema=[{"AttributeName": "device", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "device", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    names = sorted({"id", *(name for keys in ALERT_INDEXES.values() for name in keys)})
    dynamodb.create_table(
        TableName=alerts,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, (partition, sort) in ALERT_INDEXES.items()
        ],
    )
