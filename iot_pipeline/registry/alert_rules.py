"""Rules of alerts in the registry: set, ended and never forgotten, and published for the functions of the edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from iot_pipeline.alerting.device_rules import Override, RuleError, RuleSet, check_scope, checked_kind, compiled, parsed
from iot_pipeline.alerting.rule_kinds import Value
from iot_pipeline.registry.errors import RegistryError

# Devices that send at least as often as this are silent by the rule alone.
_RARELY_SECONDS = 60.0


@dataclass(frozen=True)
class RecordedRule:
    """An override with its history: who set it and why, and since and until when it is in force (UTC)."""

    override: Override
    author: str
    note: str
    valid_from: datetime
    valid_to: datetime | None
    ended_by: str | None


def set_rule(
    connection: Connection[Any],
    rule: str,
    metric: str,
    scope: Mapping[str, str],
    parameters: Mapping[str, Value],
    author: str,
    note: str,
) -> RecordedRule:
    """Set parameters of a rule for a scope; those set before for the same scope stay unless they are named again.

    Raises RuleError, and changes nothing, if the rule does not take them, or if together with the other overrides they
    leave no value that is clear; RegistryError for a tenant, site, model or device that the registry does not know.
    """
    checked_kind(rule, metric)
    check_scope(scope)
    with connection.transaction():
        _check_exists(connection, scope)
        connection.execute("LOCK TABLE registry.alert_rules IN SHARE ROW EXCLUSIVE MODE")
        before = _in_force(connection, rule, metric, scope)
        merged = {**(before.override.parameters if before else {}), **parameters}
        Override(0, rule, metric, scope, merged)
        if before is not None:
            _end(connection, before.override.id, author)
        row = connection.execute(
            "INSERT INTO registry.alert_rules (rule, metric, scope, parameters, author, note, valid_from)"
            " VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp()) RETURNING id",
            (rule, metric, Jsonb(dict(scope)), Jsonb(merged), author, note),
        ).fetchone()
        if row is None:
            raise RegistryError("the rule was not recorded")
        _check_together(connection)
        return _recorded(connection, "WHERE id = %s", (row[0],))[0]


def end_rule(connection: Connection[Any], rule_id: int, author: str) -> RecordedRule:
    """End an override: what is wider holds again. Raises RegistryError if none of that id is in force."""
    with connection.transaction():
        if not _end(connection, rule_id, author):
            raise RegistryError(f"no rule of the id {rule_id} is in force; `rules list` shows those that are")
        _check_together(connection)
        return _recorded(connection, "WHERE id = %s", (rule_id,))[0]


def in_force(connection: Connection[Any]) -> list[RecordedRule]:
    """The overrides in force, the oldest first."""
    return _recorded(connection, "WHERE valid_to IS NULL ORDER BY id")


def history(connection: Connection[Any]) -> list[RecordedRule]:
    """All overrides there ever were, the oldest first."""
    return _recorded(connection, "ORDER BY id")


def published(connection: Connection[Any], s3: Any, bucket: str, prefix: str) -> RuleSet:
    """Write the rules in force as a new version, for the functions to read, and then as the current one.

    The version's object stays as its history. Raises botocore's errors; the registry is right then, and publishing
    again makes up for it.
    """
    with connection.transaction():
        # Two people who publish at once do so one after the other, so that the current version is the newest.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('registry.alert_rules'))")
        rules = rule_set(connection)
        body = rules.document().encode()
        for name in (f"v{rules.version:08d}.json", "current.json"):
            s3.put_object(Bucket=bucket, Key=prefix + name, Body=body, ContentType="application/json")
    return rules


def published_if_changed(connection: Connection[Any], s3: Any, bucket: str, prefix: str) -> RuleSet | None:
    """As `published`, unless the current version says the same already: then None, and no version is spent.

    So that the functions hear of devices that were decommissioned, or whose model or interval was corrected.
    """
    try:
        current = parsed(s3.get_object(Bucket=bucket, Key=f"{prefix}current.json")["Body"].read().decode())
    except (s3.exceptions.NoSuchKey, RuleError):
        current = RuleSet()
    if _content(connection) == (current.overrides, current.models, current.retired, current.intervals):
        return None
    return published(connection, s3, bucket, prefix)


def rule_set(connection: Connection[Any]) -> RuleSet:
    """The rules in force, as the next version. Models are named for devices of which a rule by model speaks."""
    row = connection.execute("SELECT nextval('registry.alert_rules_version')").fetchone()
    return RuleSet(row[0] if row else 0, *_content(connection))


def _content(
    connection: Connection[Any],
) -> tuple[tuple[Override, ...], dict[str, str], frozenset[str], dict[str, float]]:
    overrides = tuple(each.override for each in in_force(connection))
    models = sorted({each.scope["model"] for each in overrides if "model" in each.scope})
    devices = connection.execute(
        "SELECT device_id, model_id FROM registry.device_versions WHERE valid_to IS NULL AND model_id = ANY(%s)",
        (models,),
    ).fetchall()
    retired = connection.execute(
        "SELECT device_id FROM registry.device_versions WHERE valid_to IS NULL AND status = 'decommissioned'"
    ).fetchall()
    rarely = connection.execute(
        "SELECT device_id, expected_interval_s FROM registry.device_versions"
        " WHERE valid_to IS NULL AND expected_interval_s > %s",
        (_RARELY_SECONDS,),
    ).fetchall()
    ordered = RuleSet(0, overrides).overrides
    return ordered, dict(devices), frozenset(name for (name,) in retired), dict(rarely)


_KNOWN = {
    "tenant": "SELECT 1 FROM registry.tenants WHERE tenant_id = %(tenant)s",
    "site": "SELECT 1 FROM registry.site_keys WHERE tenant_id = %(tenant)s AND site_id = %(site)s",
    "model": "SELECT 1 FROM registry.device_models WHERE model_id = %(model)s",
    "device": "SELECT 1 FROM registry.device_keys WHERE device_id = %(device)s",
}


def _check_exists(connection: Connection[Any], scope: Mapping[str, str]) -> None:
    for name, value in scope.items():
        if connection.execute(_KNOWN[name].encode(), dict(scope)).fetchone() is None:
            raise RegistryError(f"{name} {value!r} is not in the registry")


def _check_together(connection: Connection[Any]) -> None:
    """Each device meets a chain of overrides; any two that may meet must leave values that are clear."""
    overrides = sorted((each.override for each in in_force(connection)), key=lambda each: each.breadth)
    for narrow in overrides:
        chain = [wide for wide in overrides if wide.breadth <= narrow.breadth and _may_meet(wide, narrow)]
        try:
            compiled(chain)
        except RuleError as error:
            raise RuleError(f"{error} (rules {', '.join(str(each.id) for each in chain)} together)") from error


def _may_meet(one: Override, other: Override) -> bool:
    return all(other.scope.get(name, value) == value for name, value in one.scope.items())


def _end(connection: Connection[Any], rule_id: int, author: str) -> bool:
    ended = connection.execute(
        "UPDATE registry.alert_rules SET valid_to = clock_timestamp(), ended_by = %s"
        " WHERE id = %s AND valid_to IS NULL",
        (author, rule_id),
    )
    return bool(ended.rowcount)


def _in_force(connection: Connection[Any], rule: str, metric: str, scope: Mapping[str, str]) -> RecordedRule | None:
    found = _recorded(
        connection,
        "WHERE valid_to IS NULL AND rule = %s AND metric = %s AND scope = %s",
        (rule, metric, Jsonb(dict(scope))),
    )
    return found[0] if found else None


def _recorded(connection: Connection[Any], where: str, values: tuple[Any, ...] = ()) -> list[RecordedRule]:
    columns = "id, rule, metric, scope, parameters, author, note, valid_from, valid_to, ended_by"
    rows = connection.execute(f"SELECT {columns} FROM registry.alert_rules {where}".encode(), values).fetchall()
    return [
        RecordedRule(Override(number, rule, metric, scope, parameters), author, note, since, until, by)
        for number, rule, metric, scope, parameters, author, note, since, until, by in rows
    ]
