"""The live half of the demo's report."""

from collections.abc import Iterator

from rich.table import Table

from infra.local.demo.live_alerts import EdgeFigures

_LISTED = 20


def edge_tables(edge: EdgeFigures) -> Iterator[Table]:
    """State of the fleet, alerts against the manifest, and how long they took."""
    yield _alerts(edge)
    differences = [each for verdict in edge.verdicts for each in verdict.differences]
    if differences:
        table = Table("differences", title_justify="left")
        for each in differences[:_LISTED]:
            table.add_row(each)
        yield table
    yield _state(edge)


def _alerts(edge: EdgeFigures) -> Table:
    table = Table("fault injected", "rule", "injected", "found", "alerts without a cause", "", title_justify="left")
    table.title = "Live: alerts against what was truly injected"
    for each in edge.verdicts:
        verdict = "yes" if each.is_right else "[red]NO[/]"
        table.add_row(each.fault, each.rule, str(each.injected), str(each.found), str(each.unfounded), verdict)
    return table


def _state(edge: EdgeFigures) -> Table:
    table = Table("the edge", "", title="Live: the fleet and the edge", title_justify="left")
    counts = edge.outcomes
    table.add_row("devices with a live state", f"{edge.devices:,}")
    table.add_row("readings taken", f"{counts.get('valid', 0):,} valid, of them {counts.get('late', 0):,} as history")
    table.add_row("alerts of the live run", f"{edge.opened} opened, {edge.resolved} resolved by themselves")
    for name, figure in (
        ("device to broker", edge.device_to_broker),
        ("broker to alert in DynamoDB", edge.broker_to_alert),
        ("alert to notification", edge.alert_to_person),
    ):
        table.add_row(name, f"p50 {figure.p50:.2f} s, p99 {figure.p99:.2f} s, of {figure.count:,}")
    told = ", ".join(f"{count} of {source}" for source, count in edge.dead_letters.items())
    table.add_row("dead letters", told or "none")
    return table
