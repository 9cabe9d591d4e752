"""The restore drill, with a tenth of its data; and the service levels that can be measured on one machine."""

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from rich.console import Console

from infra.local.drill.outcome import REBUILT, Outcome, Promise
from infra.local.drill.run import run_drill
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import Platform
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.connections.warehouse import open_warehouse
from iot_pipeline.warehouse.transaction import read
from iot_pipeline_tests.conftest import started

READINGS = 2_000
PAGE = (CHECKOUT / "docs" / "slo.md").read_text()
STATEMENTS = re.findall(
    r"<!-- measures: ([a-z ]+); asked of (Athena|the warehouse) -->\n```sql\n(.*?)```", PAGE, re.DOTALL
)
QUERIES = re.findall(r"<!-- measures: ([a-z ]+); asked of CloudWatch -->\n```json\n(.*?)```", PAGE, re.DOTALL)
# No alert is raised by a history, which is all that the drill publishes.
WITHOUT_ALERTS = {"found", "told"}


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, bool, str]]:
    """The platform after the drill, whether all promises were kept, and what was printed."""
    out = io.StringIO()
    with started(tmp_path_factory.mktemp("drill")) as platform:
        kept = run_drill(platform, READINGS, Console(file=out, width=200))
        yield platform, kept, out.getvalue()


def test_every_promise_is_kept(drilled: tuple[Platform, bool, str]) -> None:
    _, kept, printed = drilled
    print(printed)
    assert kept, printed
    for part in ("registry", "warehouse", "live state", "Dagster's storage"):
        assert re.search(rf"^ *{part} ", printed, re.MULTILINE), printed


@pytest.mark.parametrize(("name", "where", "sql"), STATEMENTS, ids=lambda value: value if len(value) < 20 else "")
def test_a_service_level_is_a_number(name: str, where: str, sql: str, drilled: tuple[Platform, bool, str]) -> None:
    """After the drill everything is rebuilt, so what is measured is perfect but for what had to be loaded late."""
    since = f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}"
    text = sql.replace("{since}", since)
    if where == "Athena":
        ((value,),) = open_lake().athena.run(text).rows
    else:
        with open_warehouse() as connection:
            ((value,),) = read(connection, text)
    if name in WITHOUT_ALERTS:
        assert value in (None, "", 100, "100.0")
        return
    print(name, value)
    assert 0 <= float(value) <= 100
    if name in {"accounted", "facts"}:
        assert float(value) == 100


@pytest.mark.parametrize(("name", "queries"), QUERIES, ids=[name for name, _ in QUERIES])
def test_a_service_level_is_computed_by_cloudwatch(
    name: str, queries: str, drilled: tuple[Platform, bool, str]
) -> None:
    """Of Lambda's metrics, which there are; and of the others' as AWS would write them, here three to one."""
    cloudwatch, now = boto3.client("cloudwatch"), datetime.now(UTC)
    asked = json.loads(queries.replace("{delivery}", "the-delivery-stream"))
    metrics = [query["MetricStat"]["Metric"] for query in asked if "MetricStat" in query]
    if name != "keeps up":
        # What was taken and what failed; or the ages of four spans, of which the last is over the limit.
        values = [[300], [100]] if len(metrics) > 1 else [[10, 20, 30, 4_000]]
        for metric, points in zip(metrics, values, strict=True):
            named = {key: metric[key] for key in ("MetricName", "Dimensions")}
            data = [
                {**named, "Timestamp": now - timedelta(hours=hours), "Value": value}
                for hours, value in enumerate(points, 1)
            ]
            cloudwatch.put_metric_data(Namespace=metric["Namespace"], MetricData=data)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=asked, StartTime=now - timedelta(days=30), EndTime=now + timedelta(minutes=5)
    )
    (percent,) = answer["MetricDataResults"]
    assert len(set(percent["Values"])) == 1
    spans = len(percent["Values"])
    wanted = {"handed on": 75, "fresh": 100 - 100 / spans, "keeps up": 100}[name]
    assert percent["Values"][0] == pytest.approx(wanted)
    if name == "keeps up":
        (age,) = cloudwatch.get_metric_data(
            MetricDataQueries=[{**asked[0], "ReturnData": True}],
            StartTime=now - timedelta(days=1),
            EndTime=now + timedelta(minutes=5),
        )["MetricDataResults"]
        assert age["Values"], "the handler has told nothing, so that nothing was measured"


def test_each_promise_has_a_section_and_each_statement_a_promise() -> None:
    rows = re.findall(r"^\| \[([^\]]+)\]\(#([a-z-]+)\)", PAGE, re.MULTILINE)
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)}
    assert {anchor for _, anchor in rows} <= headings
    assert len(STATEMENTS) == PAGE.count("```sql") == 5
    assert len(QUERIES) == PAGE.count("```json") == 3


@pytest.mark.parametrize(
    ("seconds", "lost", "early", "wrong", "kept"),
    [
        (10, 0, 0.0, (), True),
        (10, 1, 0.0, (), False),
        (10, 0, 0.1, (), False),
        (10, 0, 0.0, ("a table lacks a row",), False),
        (5 * 3600, 0, 0.0, (), False),
    ],
)
def test_a_promise_that_is_broken_is_told(
    seconds: float, lost: int, early: float, wrong: tuple[str, ...], kept: bool
) -> None:
    outcome = Outcome("part", "source", seconds, 100, 100 - lost, early, REBUILT, wrong)
    assert outcome.is_kept is kept
    assert outcome.rows_lost == lost


def test_rows_may_be_lost_within_a_promise_of_seconds() -> None:
    promise = Promise(rto_seconds=60, rpo_seconds=300)
    assert Outcome("part", "source", 1, 100, 90, 299, promise).is_kept
    assert not Outcome("part", "source", 1, 100, 90, 301, promise).is_kept


def test_the_page_has_the_figures_of_a_drill() -> None:
    table = PAGE.partition("## What a restore takes")[2]
    assert len(re.findall(r"^\| (registry|warehouse|live state|Dagster's storage) \|", table, re.MULTILINE)) == 7
    assert re.search(r"20\d\d-\d\d-\d\d", table)
