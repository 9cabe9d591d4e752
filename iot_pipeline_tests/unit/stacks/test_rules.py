from infra.stacks.ingest.rules import rule_sql
from iot_pipeline.contract.contract import RULE_FIELDS


def test_both_statements_are_these() -> None:
    functions = (
        "topic(2) AS iot_tenant, topic(3) AS iot_site, topic(4) AS iot_device, timestamp() AS iot_received_at, "
        "clientid() AS iot_client, traceid() AS iot_trace"
    )
    sql = rule_sql()
    assert sql.telemetry == f"SELECT *, {functions} FROM 'dt/+/+/+/telemetry' WHERE NOT isUndefined(readings)"
    assert sql.malformed == (
        f"SELECT encode(*, 'base64') AS iot_payload, {functions} FROM 'dt/+/+/+/telemetry' WHERE isUndefined(readings)"
    )


def test_conditions_are_each_others_negation() -> None:
    sql = rule_sql()
    condition = sql.malformed.split(" WHERE ")[1]
    assert sql.telemetry.split(" WHERE ")[1] == f"NOT {condition}"


def test_rules_add_exactly_the_contracts_fields() -> None:
    sql = rule_sql()
    added = {part.split()[0].rstrip(",") for part in f"{sql.telemetry} {sql.malformed}".split(" AS ")[1:]}
    assert added == set(RULE_FIELDS)


def test_topic_filter_is_the_callers() -> None:
    assert "FROM 'dt/acme/+/+/telemetry'" in rule_sql("dt/acme/+/+/telemetry").telemetry
