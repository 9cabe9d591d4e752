"""Rules of alerts in a real registry, and as the functions of the edge read them."""

from typing import Any

import pytest

from iot_pipeline.alerting.device_rules import RuleError, parsed
from iot_pipeline.contract.layout import EDGE_RULES
from iot_pipeline.edge.rules_source import DOCUMENT, REFRESH_SECONDS, RulesSource
from iot_pipeline.registry import alert_rules
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline_tests.support.edge import make_edge
from iot_pipeline_tests.support.emulator import LocalAws
from iot_pipeline_tests.support.registry import Connection, World


def _set(connection: Connection, scope: dict[str, str], **parameters: float | None) -> alert_rules.RecordedRule:
    return alert_rules.set_rule(connection, "range", "temperature", scope, parameters, "ada", "a test")


def test_a_rule_has_an_author_a_time_and_a_history(connection: Connection, world: World) -> None:
    scope = {"tenant": world.tenant}
    first = _set(connection, scope, warning_above=30.0)
    second = _set(connection, scope, warning_below=-5.0)
    assert second.override.parameters == {"warning_above": 30.0, "warning_below": -5.0}
    alert_rules.end_rule(connection, second.override.id, "bob")
    mine = [each for each in alert_rules.history(connection) if each.override.scope == scope]
    assert [(each.author, each.ended_by) for each in mine] == [("ada", "ada"), ("ada", "bob")]
    assert mine[0].valid_from <= (mine[0].valid_to or mine[0].valid_from) <= mine[1].valid_from
    assert first.override.id < second.override.id
    assert not [each for each in alert_rules.in_force(connection) if each.override.scope == scope]
    with pytest.raises(RegistryError, match="no rule of the id"):
        alert_rules.end_rule(connection, second.override.id, "bob")


@pytest.mark.parametrize("name", ["tenant", "model", "device"])
def test_a_scope_that_the_registry_does_not_know_is_refused(connection: Connection, world: World, name: str) -> None:
    with pytest.raises(RegistryError, match=f"{name} 'nobody' is not in the registry"):
        _set(connection, {name: "nobody"}, warning_above=30.0)


def test_rules_that_contradict_each_other_together_are_refused_and_change_nothing(
    connection: Connection, world: World
) -> None:
    wide = _set(connection, {"tenant": world.tenant}, warning_above=30.0)
    with pytest.raises(RuleError, match=rf"no value breaks no limit.*\(rules {wide.override.id}, \d+ together\)"):
        _set(connection, {"tenant": world.tenant, "model": world.model}, warning_below=40.0)
    mine = [each for each in alert_rules.history(connection) if each.override.scope.get("tenant") == world.tenant]
    assert [each.override.id for each in mine] == [wide.override.id]


def test_what_is_published_reaches_a_function_when_it_looks_again(
    connection: Connection, world: World, local_aws: LocalAws
) -> None:
    edge = make_edge(local_aws)
    s3, bucket = edge.clients["s3"], edge.settings.rules_bucket
    now = [0.0]
    source = RulesSource(s3, bucket, clock=lambda: now[0])

    def above() -> float:
        return source.current().of(world.tenant, "bern", "d1").metrics["temperature"].warning_above

    assert above() == float("inf")
    _set(connection, {"tenant": world.tenant}, warning_above=30.0)
    version = alert_rules.published(connection, s3, bucket, EDGE_RULES).version
    assert above() == float("inf")
    now[0] += REFRESH_SECONDS
    assert REFRESH_SECONDS <= 60
    assert above() == 30
    assert source.current().version == version
    s3.put_object(Bucket=bucket, Key=DOCUMENT, Body=b'{"version": 9}')
    now[0] += REFRESH_SECONDS
    assert above() == 30
    names = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=EDGE_RULES)["Contents"]]
    assert f"{EDGE_RULES}v{version:08d}.json" in names


def test_what_has_not_changed_is_not_published_again(connection: Connection, world: World, local_aws: LocalAws) -> None:
    edge = make_edge(local_aws)
    s3, bucket = edge.clients["s3"], edge.settings.rules_bucket

    def publish() -> bool:
        return alert_rules.published_if_changed(connection, s3, bucket, EDGE_RULES) is not None

    assert publish()
    assert not publish()
    _set(connection, {"tenant": world.tenant, "model": world.model}, warning_above=30.0)
    assert publish()
    assert not publish()


def test_a_decommissioned_device_is_published_as_retired(connection: Connection, world: World) -> None:
    device = f"{world.tenant}-d1"
    connection.execute("INSERT INTO registry.device_keys VALUES (%s, %s)", (device, world.tenant))
    _version(connection, world, device, "decommissioned")
    assert device in alert_rules.rule_set(connection).retired


def test_a_device_that_sends_rarely_is_not_silent_between_its_readings(connection: Connection, world: World) -> None:
    device = f"{world.tenant}-d2"
    connection.execute("INSERT INTO registry.device_keys VALUES (%s, %s)", (device, world.tenant))
    _version(connection, world, device, "active", interval_s=3600)
    rules = parsed(alert_rules.rule_set(connection).document())
    assert rules.of(world.tenant, "a", device).silence_ms == 3 * 3_600_000
    assert rules.of(world.tenant, "a", "another").silence_ms == 15 * 60_000


def _version(connection: Connection, world: World, device: str, status: str, interval_s: float = 60) -> None:
    columns: dict[str, Any] = {
        "device_id": device,
        "tenant_id": world.tenant,
        "site_id": "a",
        "model_id": world.model,
        "name": device,
        "status": status,
        "expected_interval_s": interval_s,
    }
    names = ", ".join(columns)
    holders = ", ".join(f"%({name})s" for name in columns)
    connection.execute(
        f"INSERT INTO registry.device_versions ({names}, valid_from) VALUES ({holders}, now())".encode(), columns
    )
