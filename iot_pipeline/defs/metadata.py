"""What people see beside a materialization."""

import html
import re
from collections.abc import Sequence
from typing import Any

import dagster as dg

from iot_pipeline.lake.athena import Athena, QueryResult

BAR_WIDTH = 30


def query_cost(athena: Athena) -> dict[str, Any]:
    """What the queries so far scanned and cost."""
    return {
        "queries": len(athena.results),
        "bytes scanned": athena.scanned_bytes,
        "query cost (USD)": dg.MetadataValue.float(round(athena.dollars, 8)),
        "engine time (ms)": sum(result.engine_milliseconds for result in athena.results),
    }


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """A Markdown table. What the cells say is shown as it is: no markup, no HTML, no links."""
    lines = [columns, ["---"] * len(columns), *rows]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines))


def markdown_list(items: Sequence[object]) -> dg.MarkdownMetadataValue:
    """A Markdown list, of which the same is true; `none` if it is empty."""
    return dg.MetadataValue.md("\n".join(f"- {_plain(item)}" for item in items) or "none")


def _plain(text: object) -> str:
    """A text, which may be a device's choice, in one line, so that Markdown shows it and does not obey it."""
    return re.sub(r"([\\`|\[\]])", r"\\\1", html.escape(" ".join(str(text).splitlines()), quote=False))


def bar_chart(labels: Sequence[str], values: Sequence[int]) -> dg.MarkdownMetadataValue:
    """A horizontal bar chart, as text, with each bar's value. Labels may be a device's choice: none ends the text."""
    labels = [" ".join(label.splitlines()) for label in labels]
    fence = "`" * max([3, *(len(run) + 1 for label in labels for run in re.findall("`+", label))])
    most = max(values, default=0) or 1
    width = max((len(label) for label in labels), default=0)
    bars = [
        f"{label:<{width}}  {'█' * max(round(value / most * BAR_WIDTH), 1 if value else 0):<{BAR_WIDTH}}  {value:,}"
        for label, value in zip(labels, values, strict=True)
    ]
    return dg.MetadataValue.md("\n".join([fence, *bars, fence]))


def preview(result: QueryResult) -> dg.TableMetadataValue:
    """Rows of a query as a table."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord({c: v if v is None or isinstance(v, str | int | float | bool) else str(v) for c, v in pairs})
            for pairs in (zip(result.columns, row, strict=True) for row in result.rows)
        ],
        schema=dg.TableSchema([dg.TableColumn(name) for name in result.columns]),
    )


def column_schema(columns: Sequence[Any]) -> dict[str, dg.TableSchemaMetadataValue]:
    """A table's columns, for the asset's page in the catalog."""
    schema = dg.TableSchema([dg.TableColumn(c.name, type=c.type, description=c.comment) for c in columns])
    return {"dagster/column_schema": dg.MetadataValue.table_schema(schema)}
