"""Reports that people look at: saved queries over the views, as Markdown tables and bars.

Bars are text: Dagster's pages drop images that Markdown carries as data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from iot_pipeline.defs.common import OWNERS
from iot_pipeline.defs.metadata import bar_chart, markdown_table
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.warehouse.transaction import read

Row = Sequence[Any]


@dataclass(frozen=True)
class Report:
    """A saved query on a view of the schema `reporting`.

    `label` and `value` of its rows make the bars. `figures` sums the rows up in numbers, which Dagster plots from one
    materialization to the next.
    """

    view: str
    description: str
    columns: tuple[str, ...]
    sql: str
    bars: str
    label: Callable[[Row], str]
    value: Callable[[Row], int]
    figures: Callable[[Sequence[Row]], dict[str, int]]

    @property
    def name(self) -> str:
        """The asset's name."""
        return f"report_{self.view}"


def _last_date(rows: Sequence[Row]) -> dict[str, int]:
    """The fleet on the newest date, which comes first."""
    newest = [row for row in rows if row[0] == rows[0][0]]
    names = {"devices": 3, "readings": 4, "gaps": 6, "low batteries": 7}
    # Of devices that the registry does not know, gaps and batteries are unknown too.
    return {f"{name}, last date": sum(int(row[place] or 0) for row in newest) for name, place in names.items()}


REPORTS = (
    Report(
        "fleet_daily_summary",
        "The fleet by day and tenant, of the last 14 days with facts: devices, readings, uptime, gaps, low batteries.",
        ("date", "tenant", "hours", "devices", "readings", "uptime %", "gaps", "low batteries"),
        """\
SELECT event_date, tenant_name, hours, devices, readings, round(100 * uptime), gaps, low_batteries
FROM reporting.fleet_daily_summary
WHERE event_date > (SELECT max(event_date) FROM reporting.fleet_daily_summary) - 14
ORDER BY event_date DESC, readings DESC, tenant_id
LIMIT 100""",
        "readings",
        lambda row: f"{row[0]} {row[1]}",
        lambda row: int(row[4]),
        _last_date,
    ),
    Report(
        "site_comparison",
        "The sites side by side, on the last date with facts: devices, temperatures, uptime, gaps.",
        ("site", "tenant", "country", "devices", "least °C", "mean °C", "most °C", "uptime %", "gaps"),
        """\
SELECT site_name, tenant_id, country, devices, round(min_value), round(avg_value), round(max_value),
    round(100 * uptime), gaps
FROM reporting.site_comparison
WHERE metric = 'temperature' AND event_date = (SELECT max(event_date) FROM reporting.site_comparison)
ORDER BY avg_value DESC, tenant_id, site_id
LIMIT 100""",
        "uptime %",
        lambda row: f"{row[1]} {row[0]}",
        lambda row: int(row[7] or 0),
        lambda rows: {"least uptime of a site, %": min((int(row[7] or 0) for row in rows), default=0)},
    ),
    Report(
        "worst_sensors",
        "The 20 sensors that missed most of the last 7 dates with facts.",
        ("place", "device", "name", "model", "site", "uptime %", "gaps", "status", "last seen (UTC)"),
        """\
SELECT place, device_id, sensor_name, model_name, site_id, round(100 * uptime), gaps, status, last_seen
FROM reporting.worst_sensors
WHERE place <= 20
ORDER BY place""",
        "missed, %",
        lambda row: str(row[1]),
        lambda row: 100 - int(row[5]),
        lambda rows: {"missed by the worst sensor, %": max((100 - int(row[5]) for row in rows), default=0)},
    ),
    Report(
        "water_leaks",
        "Meters whose flow was never zero on one of the last 7 dates with facts, the largest losses first.",
        ("date", "device", "name", "site", "hours", "leak, L/min", "lost, L"),
        """\
SELECT event_date, device_id, sensor_name, site_name, hours, round(cast(leak_litres_per_minute AS decimal(18, 4)), 2),
    round(leaked_litres)
FROM reporting.water_leaks
WHERE event_date > (SELECT max(event_date) FROM reporting.fleet_daily_summary) - 7
ORDER BY leaked_litres DESC, event_date DESC, device_id
LIMIT 50""",
        "lost, L",
        lambda row: f"{row[0]} {row[1]}",
        lambda row: int(row[6]),
        lambda rows: {
            "leaking meters": len({row[1] for row in rows}),
            "lost in all, L": sum(int(row[6]) for row in rows),
        },
    ),
    Report(
        "alert_summary",
        "Alerts of the last 14 dates with any, by date, site and rule: how many, and how long they took.",
        (
            "date",
            "tenant",
            "site",
            "rule",
            "alerts",
            "critical",
            "open",
            "spoken for",
            "flapping",
            "acknowledged",
            "minutes to acknowledge",
            "minutes to resolve",
        ),
        """\
SELECT opened_date, tenant_id, site_name, rule, alerts, critical, open_alerts, spoken_for, flapping, acknowledged,
    round(cast(median_seconds_to_acknowledge AS double precision) / 60),
    round(cast(median_seconds_to_resolve AS double precision) / 60)
FROM reporting.alert_summary
WHERE opened_date > (SELECT max(opened_date) FROM reporting.alert_summary) - 14
ORDER BY opened_date DESC, alerts DESC, tenant_id, site_name, rule
LIMIT 200""",
        "alerts",
        lambda row: f"{row[0]} {row[2]} {row[3]}",
        lambda row: int(row[4]),
        lambda rows: {
            "alerts, last date": sum(int(row[4]) for row in rows if row[0] == rows[0][0]),
            "open": sum(int(row[6]) for row in rows),
        },
    ),
)


def _asset(report: Report) -> dg.AssetsDefinition:
    @dg.asset(
        name=report.name,
        deps=[report.view],
        group_name="reports",
        kinds={"redshift"},
        owners=OWNERS,
        description=f"{report.description}\n\n```sql\n{report.sql}\n```",
    )
    def built(warehouse: WarehouseResource) -> dg.MaterializeResult:
        with warehouse.connect() as connection:
            rows = read(connection, report.sql)
        shown = [["" if cell is None else _plain(cell) for cell in row] for row in rows]
        return dg.MaterializeResult(
            metadata={
                "rows": len(rows),
                **report.figures(rows),
                "report": markdown_table(report.columns, shown),
                report.bars: bar_chart([report.label(row) for row in rows], [report.value(row) for row in rows]),
            }
        )

    return built


def _plain(cell: object) -> object:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


reports = [_asset(report) for report in REPORTS]
