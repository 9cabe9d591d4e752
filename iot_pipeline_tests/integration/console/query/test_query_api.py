"""The query API on a local Athena with the rows of two tenants."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iot_pipeline.console.query.limits import LIMITS, Limits
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline_tests.support.athena import LocalAthena
from iot_pipeline_tests.support.guarded import FOREIGN, OWN
from iot_pipeline_tests.support.query_api import ANALYST, TENANT, QueryApi, open_api

DAY = "year = '2026' AND month = '11' AND day = '20'"
OTHERS = [Viewer("eve", Role.TENANT, OWN), Viewer("bob", Role.TENANT, FOREIGN), Viewer("bob", Role.ANALYST)]
SLOW = (
    "SELECT count(*) FROM UNNEST(sequence(1, 9000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 9000)) AS b(y) "
    "CROSS JOIN UNNEST(sequence(1, 2000)) AS c(z) WHERE (x * y + z) % 7 = 3"
)


@pytest.fixture
def api(two_tenants: LocalAthena) -> Iterator[QueryApi]:
    opened = open_api(two_tenants)
    yield opened
    for viewer in (ANALYST, TENANT):
        for execution in opened.engine.history.latest(viewer):
            opened.engine.athena.stop_query_execution(QueryExecutionId=execution.athena_id)


def test_a_query_runs_and_its_pages_are_read(api: QueryApi) -> None:
    sql = f"SELECT tenant, device_id, seq, temperature FROM telemetry WHERE {DAY} ORDER BY device_id, event_time, seq"
    state = api.run(TENANT, sql)
    assert (state["state"], state["sql"], state["failure"]) == ("SUCCEEDED", sql, None)
    assert state["scanned_bytes"] > 0
    assert state["dollars"] == pytest.approx(10 / 1024**2 * 5.0)
    assert state["milliseconds"] >= 0
    assert state["row_limit"] == LIMITS[Role.TENANT].rows
    first = api.ask(TENANT, "GET", f"/api/queries/{state['id']}/rows?limit=4").json()
    assert first["columns"][:2] == [{"name": "tenant", "type": "varchar"}, {"name": "device_id", "type": "varchar"}]
    rows, token = first["rows"], first["next_token"]
    assert len(rows) == 4
    while token:
        page = api.ask(TENANT, "GET", f"/api/queries/{state['id']}/rows", params={"limit": 4, "token": token}).json()
        rows, token = rows + page["rows"], page["next_token"]
    assert len(rows) == 6
    assert {row[0] for row in rows} == {OWN}
    assert [entry["action"] for entry in api.audit.of_day(datetime.now(UTC).date())] == ["query"]


def test_staff_see_all_tenants_in_their_own_workgroup(api: QueryApi) -> None:
    state = api.run(ANALYST, "SELECT DISTINCT tenant FROM telemetry ORDER BY 1")
    rows = api.ask(ANALYST, "GET", f"/api/queries/{state['id']}/rows").json()["rows"]
    assert rows == [[OWN], [FOREIGN]]
    api.run(TENANT, "SELECT 1")
    groups = {viewer: next(api.engine.history.latest(viewer)).workgroup for viewer in (ANALYST, TENANT)}
    assert groups == {ANALYST: api.engine.people_workgroup, TENANT: api.engine.tenants_workgroup}


@pytest.mark.parametrize("path", ["/api/queries/{}", "/api/queries/{}/rows", "/api/queries/{}/result.csv"])
def test_a_query_is_its_viewers_alone(api: QueryApi, path: str) -> None:
    state = api.run(TENANT, "SELECT 1")
    assert api.ask(TENANT, "GET", path.format(state["id"])).status_code == 200
    for other in OTHERS:
        answer = api.ask(other, "GET", path.format(state["id"]))
        assert (answer.status_code, answer.json()["type"]) == (404, "unknown_query")
        assert api.ask(other, "GET", "/api/queries").json() == []
    assert api.ask(None, "GET", path.format(state["id"])).status_code == 401
    assert api.ask(OTHERS[0], "POST", f"/api/queries/{state['id']}/cancel").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/queries"),
        ("POST", "/api/queries/estimate"),
        ("POST", "/api/queries/validate"),
        ("PUT", "/api/saved-queries/mine"),
    ],
)
def test_one_guard_stands_before_every_way_in(api: QueryApi, method: str, path: str) -> None:
    answer = api.ask(TENANT, method, path, json={"sql": "SELECT *\n  FROM ledger"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    found = answer.json()
    assert (found["type"], found["line"], found["column"]) == ("unknown_table", 2, 8)
    assert api.ask(ANALYST, "POST", "/api/queries/validate", json={"sql": "SELECT * FROM ledger"}).status_code == 200


def test_a_result_as_csv_and_as_parquet(api: QueryApi) -> None:
    state = api.run(
        TENANT,
        "SELECT * FROM (VALUES (1, BIGINT '9007199254740993', 1.5e0, true, DATE '2026-11-20', 'a, \"b\"', ''), "
        "(2, NULL, NULL, NULL, NULL, NULL, 'x')) AS v(n, big, real, yes, day, text, empty) ORDER BY n",
    )
    assert state["state"] == "SUCCEEDED", state
    csv = api.ask(TENANT, "GET", f"/api/queries/{state['id']}/result.csv")
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.text.splitlines()[0] == '"n","big","real","yes","day","text","empty"'
    assert '"a, ""b"""' in csv.text
    answer = api.ask(TENANT, "GET", f"/api/queries/{state['id']}/result.parquet")
    assert state["id"] in answer.headers["content-disposition"]
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.schema.field("big").type == pa.int64()
    assert table.schema.field("day").type == pa.date32()
    first, second = table.to_pylist()
    assert (first["big"], first["real"], first["yes"], first["empty"]) == (9007199254740993, 1.5, True, "")
    assert first["text"] == 'a, "b"'
    assert [second[name] for name in ("big", "real", "yes", "day", "text")] == [None] * 5


def test_times_and_collections_in_parquet(api: QueryApi) -> None:
    state = api.run(
        TENANT, f"SELECT event_time, extras, seq, seq FROM curated_telemetry WHERE {DAY} ORDER BY 1, 3 LIMIT 2"
    )
    assert state["state"] == "SUCCEEDED", state
    table = pq.read_table(io.BytesIO(api.ask(TENANT, "GET", f"/api/queries/{state['id']}/result.parquet").content))
    assert table.schema.field("event_time").type == pa.timestamp("ms")
    assert table.column_names == ["event_time", "extras", "seq", "seq_2"]
    assert table.column("event_time").to_pylist()[0] == datetime.fromisoformat("2026-11-20T22:00:00")
    assert table.column("extras").to_pylist()[0].startswith("{x=")


def test_a_query_that_fails_says_why_and_no_value_of_a_row(api: QueryApi) -> None:
    unknown = api.run(TENANT, "SELECT nothing FROM telemetry")
    assert unknown["state"] == "FAILED"
    assert "COLUMN_NOT_FOUND" in unknown["failure"]
    assert unknown["dollars"] == 0
    wrong = api.run(TENANT, "SELECT CAST(fw AS bigint) FROM telemetry")
    assert wrong["state"] == "FAILED"
    assert "TRY" in wrong["failure"]
    assert "fw " not in wrong["failure"]
    assert "fw " in api.run(ANALYST, "SELECT CAST(fw AS bigint) FROM telemetry")["failure"]
    answer = api.ask(TENANT, "GET", f"/api/queries/{wrong['id']}/rows")
    assert (answer.status_code, answer.json()["type"]) == (409, "no_result")


def test_a_query_is_cancelled(api: QueryApi) -> None:
    started = api.ask(TENANT, "POST", "/api/queries", json={"sql": SLOW}).json()
    assert api.ask(TENANT, "GET", f"/api/queries/{started['id']}/rows").status_code == 409
    assert api.ask(TENANT, "POST", f"/api/queries/{started['id']}/cancel").status_code == 200
    assert ended(api, started["id"])["state"] == "CANCELLED"


def test_a_query_is_cancelled_when_its_time_is_over(api: QueryApi) -> None:
    later = timedelta()
    api.engine.now = lambda: datetime.now(UTC) + later
    started = api.ask(TENANT, "POST", "/api/queries", json={"sql": SLOW}).json()
    later = LIMITS[Role.TENANT].time
    found = ended(api, started["id"])
    assert found["state"] == "CANCELLED"
    assert "300 s" in found["failure"]


def test_limits_hold(api: QueryApi) -> None:
    usual = LIMITS[Role.TENANT]
    api.engine.limits = always(replace(usual, query_bytes=10))
    answer = api.ask(TENANT, "POST", "/api/queries", json={"sql": "SELECT * FROM telemetry"})
    assert (answer.status_code, answer.json()["type"]) == (422, "query_bytes")
    assert "year" in answer.json()["detail"]

    api.engine.limits = always(replace(usual, at_once=1))
    slow = api.ask(TENANT, "POST", "/api/queries", json={"sql": SLOW}).json()
    answer = api.ask(TENANT, "POST", "/api/queries", json={"sql": "SELECT 1"})
    assert (answer.status_code, answer.json()["type"]) == (429, "at_once")
    api.ask(TENANT, "POST", f"/api/queries/{slow['id']}/cancel")
    ended(api, slow["id"])

    api.engine.limits = always(usual)
    scanned = api.run(TENANT, "SELECT * FROM telemetry")["scanned_bytes"]
    api.engine.limits = always(replace(usual, day_bytes=scanned + 10))
    answer = api.ask(TENANT, "POST", "/api/queries", json={"sql": "SELECT * FROM telemetry"})
    assert (answer.status_code, answer.json()["type"]) == (429, "day_bytes")
    usage = api.ask(TENANT, "GET", "/api/query-limits").json()
    assert (usage["day_bytes_used"] >= scanned, usage["running"]) == (True, 0)


def test_rows_beyond_the_limit_are_not_given_and_that_is_said(api: QueryApi) -> None:
    api.engine.limits = always(replace(LIMITS[Role.TENANT], rows=3))
    state = api.run(TENANT, "SELECT seq FROM telemetry")
    assert state["row_limit"] == 3
    assert len(api.ask(TENANT, "GET", f"/api/queries/{state['id']}/rows").json()["rows"]) == 3
    assert api.run(TENANT, "SELECT seq FROM telemetry LIMIT 2")["row_limit"] is None


@pytest.mark.parametrize(
    ("sql", "partitions"),
    [
        ("SELECT temperature FROM curated_telemetry", 4),
        (f"SELECT temperature FROM curated_telemetry WHERE {DAY}", 2),
        (f"SELECT temperature FROM curated_telemetry AS t WHERE {DAY} AND t.hour IN ('22') AND seq > 1", 1),
        (f"SELECT temperature FROM curated_telemetry WHERE {DAY} AND (hour = '22' OR hour = '23')", 2),
        (f"SELECT temperature FROM curated_telemetry WHERE {DAY} AND NOT hour = '22'", 1),
        (f"SELECT temperature FROM curated_telemetry WHERE {DAY} OR seq = 1", 4),
        ("SELECT temperature FROM curated_telemetry WHERE '20' < day", 2),
        ("SELECT temperature FROM curated_telemetry WHERE day BETWEEN '21' AND '30'", 2),
    ],
)
def test_the_estimate_is_of_the_partitions_that_are_read(api: QueryApi, sql: str, partitions: int) -> None:
    found = api.ask(TENANT, "POST", "/api/queries/estimate", json={"sql": sql}).json()
    (table,) = found["tables"]
    assert (table["partitions"], table["sampled"]) == (partitions, False)
    assert (found["advice"] is None) == (table["restricted_by"] != "")
    assert 0 < found["dollars"] == pytest.approx(10 / 1024**2 * 5.0)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT temperature FROM curated_telemetry",
        "SELECT * FROM curated_telemetry",
        f"SELECT device_id, avg(humidity) FROM telemetry WHERE {DAY} GROUP BY 1",
        "SELECT count(*) FROM telemetry t JOIN registry_devices d ON d.device_id = t.device_id",
        "SELECT site_name, count(*) FROM device_telemetry GROUP BY 1",
    ],
)
def test_the_estimate_is_near_what_is_scanned(api: QueryApi, sql: str) -> None:
    """Both count columns; the estimate, rows too that the engine may skip."""
    estimated = api.ask(TENANT, "POST", "/api/queries/estimate", json={"sql": sql}).json()["bytes"]
    scanned = api.run(TENANT, sql)["scanned_bytes"]
    print(f"\nestimated {estimated:,}, scanned {scanned:,}: {sql[:60]}")
    assert scanned * 0.5 <= estimated <= scanned * 3


def test_saved_queries(api: QueryApi) -> None:
    sql = "SELECT count(*) FROM telemetry"
    assert api.ask(TENANT, "PUT", "/api/saved-queries/how many", json={"sql": sql}).status_code == 200
    assert [(it["name"], it["sql"]) for it in api.ask(TENANT, "GET", "/api/saved-queries").json()] == [
        ("how many", sql)
    ]
    for other in OTHERS:
        assert api.ask(other, "GET", "/api/saved-queries").json() == []
    assert api.ask(TENANT, "PUT", "/api/saved-queries/a%2Fb", json={"sql": sql}).status_code in {404, 422}
    assert api.ask(TENANT, "DELETE", "/api/saved-queries/how many").status_code == 204
    assert api.ask(TENANT, "GET", "/api/saved-queries").json() == []


def test_the_tables_that_are_open_are_described(api: QueryApi) -> None:
    def names(viewer: Viewer) -> set[str]:
        found: list[dict[str, Any]] = api.ask(viewer, "GET", "/api/tables").json()
        assert all(column["comment"] for table in found for column in table["columns"])
        return {table["name"] for table in found}

    assert names(ANALYST) - names(TENANT) == {"ledger", "judged_telemetry", "raw_telemetry", "raw_lines"}
    assert {"telemetry", "device_telemetry", "registry_sites"} <= names(TENANT)


def test_the_openapi_document_describes_every_route(api: QueryApi) -> None:
    assert api.ask(None, "GET", "/api/openapi.json").status_code == 401
    document = api.ask(TENANT, "GET", "/api/openapi.json").json()
    operations = [it for path, methods in document["paths"].items() if "quer" in path for it in methods.values()]
    assert len(operations) >= 12
    assert all(it["summary"] and it["description"] for it in operations)


def always(limits: Limits) -> Callable[[Viewer], Limits]:
    """The limits of whoever asks."""

    def of(viewer: Viewer) -> Limits:
        return limits

    return of


def ended(api: QueryApi, query: str) -> Any:
    """The state of a query once it has ended."""
    while (state := api.ask(TENANT, "GET", f"/api/queries/{query}").json())["state"] in {"QUEUED", "RUNNING"}:
        pass
    return state
