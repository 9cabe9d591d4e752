"""Rules: what there is, what is in force, setting and ending them, and what they would have raised."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import boto3
import typer
from psycopg import Connection

from iot_pipeline import settings
from iot_pipeline.alerting.device_rules import RuleError, checked_kind
from iot_pipeline.alerting.episodes import iso
from iot_pipeline.alerting.rule_kinds import KINDS, Kind
from iot_pipeline.command_line import out, table_of
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.contract.layout import EDGE_RULES
from iot_pipeline.edge.backtest import metrics_to_read, tried
from iot_pipeline.edge_commands.app import app, duration, explained
from iot_pipeline.lake.past_readings import past_readings
from iot_pipeline.registry import alert_rules

rules_app = typer.Typer(
    no_args_is_help=True,
    help="""The rules of alerts: defaults of the contract, and what people set by tenant, site, model or device.

`rules kinds leak` explains one; `rules set range temperature warning_above=30 --tenant acme --by ada` overrides it, and
reaches the functions within a minute; `rules try` tells beforehand what it would have raised.
""",
)
app.add_typer(rules_app, name="rules")
KindArgument = Annotated[str, typer.Argument(help="A kind of rule: `rules kinds` lists them.")]
PartsArgument = Annotated[
    list[str],
    typer.Argument(help="The metric, where the rule has one, then NAME=NUMBER of each parameter; `null`: off."),
]
Scope = tuple[str | None, str | None, str | None, str | None]
TenantOption = Annotated[str | None, typer.Option("--tenant")]
SiteOption = Annotated[str | None, typer.Option("--site", help="With its tenant.")]
ModelOption = Annotated[str | None, typer.Option("--model")]
DeviceOption = Annotated[str | None, typer.Option("--device")]


@rules_app.command()
def kinds(kind: Annotated[str | None, typer.Argument(help="One kind, explained.")] = None) -> None:
    """The kinds of rules; or one with its parameters, their units, bounds and defaults, and what to do about it."""
    with explained():
        if kind is not None:
            if kind not in KINDS:
                raise RuleError(f"no rule is called {kind!r}; there are {', '.join(KINDS)}")
            _explain(KINDS[kind])
            return
    table = table_of("rule", "metrics", "meaning")
    for each in KINDS.values():
        table.add_row(each.name, ", ".join(each.metrics) or "the device", each.meaning)
    out.print(table)


def _explain(kind: Kind) -> None:
    out.print(f"[bold]{kind.name}[/]: {kind.meaning}\nWhat to do: {kind.remedy}", soft_wrap=True)
    table = table_of("parameter", "unit", "from", "to", "meaning", "default")
    for each in kind.parameters:
        defaults = {metric: kind.default(metric, each.name) for metric in kind.metrics or ("",)}
        text = ", ".join(f"{metric} {_text(value)}".strip() for metric, value in defaults.items())
        if len(set(defaults.values())) == 1:
            text = _text(next(iter(defaults.values())))
        table.add_row(each.name, each.unit, f"{each.minimum:g}", f"{each.maximum:g}", each.meaning, text)
    out.print(table)


@rules_app.command("list")
def list_rules() -> None:
    """What people have set, beside the defaults."""
    with explained(), open_registry() as connection:
        found = alert_rules.in_force(connection)
    _show(found)


@rules_app.command()
def history() -> None:
    """Every rule that was ever set: by whom, why, since when and until when."""
    with explained(), open_registry() as connection:
        found = alert_rules.history(connection)
    _show(found)


@rules_app.command("set")
def set_rule(
    kind: KindArgument,
    parts: PartsArgument,
    by: Annotated[str, typer.Option("--by", help="Who you are.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    tenant: TenantOption = None,
    site: SiteOption = None,
    model: ModelOption = None,
    device: DeviceOption = None,
) -> None:
    """Set parameters of a rule for a tenant, a site, a model or a device, and publish it.

    `rules set range temperature warning_above=30 clear_margin=1 --tenant acme --site bern --by ada`

    `rules set leak flow_rate severity=0 --device fountain-3 --by ada --note "it is meant to flow"`
    """
    with explained(), open_registry() as connection:
        metric, parameters = parsed_parts(kind, parts)
        scope = _scope((tenant, site, model, device))
        made = alert_rules.set_rule(connection, kind, metric, scope, parameters, by, note)
        version = _publish(connection)
    out.print(f"rule {made.override.id} is in force, as version {version} of the rules", soft_wrap=True)


@rules_app.command()
def end(
    rule_id: Annotated[int, typer.Argument(help="Its id, from `rules list`.")],
    by: Annotated[str, typer.Option("--by", help="Who you are.")],
) -> None:
    """End a rule that was set: what is wider holds again."""
    with explained(), open_registry() as connection:
        alert_rules.end_rule(connection, rule_id, by)
        version = _publish(connection)
    out.print(f"rule {rule_id} has ended, as of version {version} of the rules", soft_wrap=True)


@rules_app.command()
def publish() -> None:
    """Publish the rules in force again, such as after a device was decommissioned or its model corrected."""
    with explained(), open_registry() as connection:
        version = _publish(connection)
    out.print(f"version {version} of the rules is published")


@rules_app.command("try")
def try_rule(
    kind: KindArgument,
    parts: PartsArgument,
    last: Annotated[str, typer.Option(help="How far back: 12h, 7d.")] = "7d",
    tenant: TenantOption = None,
    site: SiteOption = None,
    device: DeviceOption = None,
) -> None:
    """A dry run: how many alerts a rule would have raised over the last days of curated data. Nothing is changed.

    Reads the columns it needs of `curated_telemetry`, whose bytes Athena bills; readings beyond the contract's range
    are in quarantine and not there.
    """
    with explained():
        metric, parameters = parsed_parts(kind, parts)
        until = datetime.now(UTC)
        since = until - duration(last)
        where = {"tenant": tenant, "site": site, "device": device}
        readings = past_readings(open_lake().athena, metrics_to_read(metric), since, until, **where)
        found = tried(readings, kind, metric, parameters)
    table = table_of("subject", "since", "until", "severity", "worst")
    for each in found[:50]:
        until_text = iso(each.resolved_ms) if each.resolved_ms is not None else "still open"
        worst = "" if each.worst is None else f"{each.worst:g}"
        table.add_row(each.first.key.subject, iso(each.first.since_ms), until_text, each.severity.label, worst)
    out.print(table)
    days = (until - since) / timedelta(days=1)
    out.print(f"{len(found)} alerts in {days:g} days, {len({e.first.key.subject for e in found})} devices")


def parsed_parts(kind: str, parts: list[str]) -> tuple[str, dict[str, float | None]]:
    """The metric and the parameters that a command line gives. Raises RuleError for what is neither."""
    named = [part for part in parts if "=" not in part]
    if len(named) > 1:
        raise RuleError(f"expected one metric and NAME=NUMBER for each parameter, got {' '.join(named)}")
    metric = named[0] if named else ""
    checked_kind(kind, metric)
    parameters: dict[str, float | None] = {}
    for part in parts:
        name, is_one, text = part.partition("=")
        if is_one:
            try:
                parameters[name] = None if text == "null" else float(text)
            except ValueError:
                raise RuleError(f"{part!r}: expected NAME=NUMBER, or NAME=null") from None
    return metric, parameters


def _scope(given: Scope) -> dict[str, str]:
    names = ("tenant", "site", "model", "device")
    return {name: value for name, value in zip(names, given, strict=True) if value is not None}


def _publish(connection: Connection[Any]) -> int:
    bucket = settings.edge().rules_bucket
    return alert_rules.published(connection, boto3.client("s3"), bucket, EDGE_RULES).version


def _show(found: list[alert_rules.RecordedRule]) -> None:
    table = table_of("id", "rule", "scope", "parameters", "by", "note", "since", "until")
    for each in found:
        override = each.override
        table.add_row(
            str(override.id),
            f"{override.rule} {override.metric}".strip(),
            ", ".join(f"{name} {value}" for name, value in override.scope.items()),
            ", ".join(f"{name}={_text(value)}" for name, value in override.parameters.items()),
            each.author,
            each.note,
            each.valid_from.isoformat(timespec="seconds"),
            each.valid_to.isoformat(timespec="seconds") if each.valid_to else "",
        )
    out.print(table)


def _text(value: float | None) -> str:
    return "null" if value is None else f"{value:g}"
