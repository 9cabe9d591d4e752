"""Partition pruning and projection: the values a condition needs, and no others, without listing the whole range."""

from typing import Any

import pytest
from sqlglot import exp

from infra.local.athena.errors import QueryError
from infra.local.athena.reading import projection
from infra.local.athena.reading.aliases import check_aliases
from infra.local.athena.reading.glue_tables import Catalog, Partition, Table
from infra.local.athena.reading.predicates import check_columns, partition_conditions
from infra.local.athena.reading.pruning import prune, wanted
from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.engine import connect
from infra.local.athena.sql.translate import to_duckdb

KEYS = ("year", "month", "day", "hour")
PROJECTED = {
    "projection.enabled": "true",
    "projection.year.type": "integer",
    "projection.year.range": "2020,2029",
    "projection.month.type": "integer",
    "projection.month.range": "1,12",
    "projection.month.digits": "2",
    "projection.day.type": "integer",
    "projection.day.range": "1,31",
    "projection.day.digits": "2",
    "projection.hour.type": "integer",
    "projection.hour.range": "0,23",
    "projection.hour.digits": "2",
    "storage.location.template": "s3://b/raw/${year}/${month}/${day}/${hour}",
}


def table(parameters: dict[str, str], keys: tuple[str, ...] = KEYS, kind: str = "string") -> Table:
    return Table(
        {
            "DatabaseName": "d",
            "Name": "t",
            "Parameters": parameters,
            "PartitionKeys": [{"Name": k, "Type": kind} for k in keys],
            "StorageDescriptor": {"Columns": [{"Name": "line", "Type": "string"}], "Location": "s3://b/raw"},
        }
    )


class Registered(Catalog):
    """A catalog whose partitions are given."""

    def __init__(self, partitions: list[Partition]) -> None:
        self.known = {p.values: p for p in partitions}
        self.listed = 0

    def partitions(self, table: Table) -> list[Partition]:
        self.listed += 1
        return list(self.known.values())

    def partitions_with(self, table: Table, values: list[list[str]]) -> list[Partition]:
        return [p for v, p in self.known.items() if all(x in some for x, some in zip(v, values, strict=True))]


def conditions(sql: str, of: Table) -> list[list[exp.Expr]]:
    query = parse_query(sql)
    nodes = {id(n): of for n in query.find_all(exp.Table) if n.name == "t"}
    return [c for found in partition_conditions(query, nodes).values() for c in found]


def pruned(sql: str, of: Table, catalog: Catalog | None = None) -> list[tuple[str, ...]]:
    found = prune(catalog or Registered([]), connect(), of, conditions(sql, of), to_duckdb)
    return [p.values for p in found]


def test_disjunction_over_four_keys_needs_exactly_its_hours() -> None:
    sql = (
        "SELECT * FROM t WHERE (year = '2026' AND month = '11' AND day = '21' AND hour IN ('02', '03')) "
        "OR (year = '2025' AND month = '12' AND day = '31' AND hour = '23')"
    )
    assert pruned(sql, table(PROJECTED)) == [
        ("2025", "12", "31", "23"),
        ("2026", "11", "21", "02"),
        ("2026", "11", "21", "03"),
    ]


def test_three_hundred_hours_do_not_enumerate_ten_years(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = projection.values_of

    def counted(of: Table, key: str, pins: set[str] | None) -> list[str]:
        values = real(of, key, pins)
        asked.append(len(values))
        return values

    monkeypatch.setattr(projection, "values_of", counted)
    hours = ", ".join(f"'{h:02}'" for h in range(24))
    days = " OR ".join(
        f"(year = '2026' AND month = '11' AND day = '{d:02}' AND hour IN ({hours}))" for d in range(1, 14)
    )
    assert len(pruned(f"SELECT * FROM t WHERE {days}", table(PROJECTED))) == 13 * 24
    assert asked == [1, 1, 13, 24]


def test_a_condition_over_several_keys_is_evaluated() -> None:
    sql = "SELECT * FROM t WHERE year || month || day || hour BETWEEN '2026022823' AND '2026030100'"
    assert pruned(sql, table(PROJECTED)) == [
        ("2026", "02", "28", "23"),
        *(("2026", "02", d, f"{h:02}") for d in ("29", "30", "31") for h in range(24)),
        ("2026", "03", "01", "00"),
    ]


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("hour = '02'", {"02"}),
        ("'02' = hour", {"02"}),
        ("hour IN ('01', '02') AND hour <> '01'", {"01", "02"}),
        ("hour = '01' OR hour = '02'", {"01", "02"}),
        ("hour = '01' OR line = 'x'", None),
        ("hour = '01' AND line = 'x'", {"01"}),
        ("NOT hour = '01'", None),
        ("hour > '01'", None),
        ("hour = '01' AND hour = '02'", set()),
    ],
)
def test_wanted_values(condition: str, values: set[str] | None) -> None:
    where = parse_query(f"SELECT 1 FROM t WHERE {condition}").find(exp.Where)
    assert where is not None
    assert wanted(where.this, "hour") == values


REGISTERED = [Partition(("2026", "11", "21", f"{h:02}"), f"s3://b/c/v={h}/") for h in range(3)]
PLAIN = table({})


def test_registered_partitions_are_looked_up_by_value() -> None:
    catalog = Registered(REGISTERED)
    sql = "SELECT * FROM t WHERE year = '2026' AND month = '11' AND day = '21' AND hour IN ('01', '09')"
    assert pruned(sql, PLAIN, catalog) == [("2026", "11", "21", "01")]
    assert catalog.listed == 0


def test_registered_partitions_are_listed_without_pins() -> None:
    catalog = Registered(REGISTERED)
    assert pruned("SELECT * FROM t WHERE hour >= '01'", PLAIN, catalog) == [p.values for p in REGISTERED[1:]]
    assert catalog.listed == 1


ALL = ("00", "01", "02")


@pytest.mark.parametrize(
    ("sql", "hours"),
    [
        ("WITH q AS (SELECT * FROM t) SELECT * FROM q WHERE hour = '01'", ["01"]),
        ("SELECT h FROM (SELECT hour AS h FROM t) WHERE h = '01'", ["01"]),
        ("SELECT hour, count(*) FROM t GROUP BY hour HAVING count(*) > 1", ["00", "01", "02"]),
        ("SELECT * FROM (SELECT hour, count(*) AS n FROM t GROUP BY hour) WHERE hour = '01'", ["01"]),
        ("SELECT * FROM (SELECT hour FROM t LIMIT 1) WHERE hour = '01'", ["00", "01", "02"]),
        ("SELECT * FROM (SELECT hour, row_number() OVER () AS n FROM t) WHERE hour = '01'", ["00", "01", "02"]),
        (
            "WITH q AS (SELECT * FROM t) SELECT * FROM q WHERE hour = '01' UNION ALL SELECT * FROM q WHERE hour = '02'",
            ["01", "02"],
        ),
        ("SELECT * FROM (SELECT '09' AS h UNION ALL SELECT hour FROM t) WHERE h = '01'", ["01"]),
        ("SELECT * FROM (SELECT '1' AS a, '2' AS h UNION SELECT line, hour FROM t) WHERE h = '01'", ["01"]),
        ("SELECT * FROM (SELECT '1' AS a, '2' AS h UNION ALL SELECT hour, line FROM t) WHERE h = '01'", [*ALL]),
        ("SELECT * FROM (SELECT '9' AS h UNION ALL SELECT hour FROM t WHERE hour < '02') WHERE h > '00'", ["01"]),
        ("SELECT * FROM (SELECT '9' AS h UNION ALL (SELECT hour FROM t LIMIT 1)) WHERE h = '01'", [*ALL]),
        ("SELECT * FROM (SELECT '9' AS h UNION ALL SELECT hour FROM t LIMIT 9) WHERE h = '01'", [*ALL]),
        ("SELECT * FROM (SELECT '01' AS h EXCEPT SELECT hour FROM t) WHERE h = '01'", [*ALL]),
        ("SELECT * FROM ((SELECT '9' AS h UNION ALL SELECT '8') UNION ALL SELECT hour FROM t) WHERE h = '01'", ["01"]),
        ("SELECT * FROM (VALUES '01') AS v(h) LEFT JOIN t ON t.hour = v.h WHERE t.hour IS NULL", ["00", "01", "02"]),
        ("SELECT * FROM (VALUES '01') AS v(h) LEFT JOIN t ON t.hour = '01'", ["01"]),
        ("SELECT * FROM (VALUES '01') AS v(h) JOIN t ON t.hour = '01' AND t.line = v.h", ["01"]),
        ("SELECT r FROM t CROSS JOIN UNNEST(ARRAY[1]) AS u(r) WHERE hour = '01'", ["01"]),
        ("SELECT 1 FROM t CROSS JOIN UNNEST(ARRAY['01']) AS u(hour) WHERE hour = '01'", ["00", "01", "02"]),
        (
            "SELECT 1 FROM t CROSS JOIN UNNEST(ARRAY['01']) WITH ORDINALITY AS u(r, hour) WHERE hour = 1",
            ["00", "01", "02"],
        ),
        ("SELECT * FROM t WHERE hour IN (SELECT '01')", ["00", "01", "02"]),
        ("SELECT max(hour) AS hour FROM t", ["00", "01", "02"]),
    ],
)
def test_conditions_reach_the_table_only_where_they_hold(sql: str, hours: list[str]) -> None:
    assert [v[3] for v in pruned(sql, PLAIN, Registered(REGISTERED))] == hours


def one_key(**properties: str) -> Table:
    parameters = {"projection.enabled": "true"} | {
        f"projection.k.{n.replace('_', '.')}": v for n, v in properties.items()
    }
    return table(parameters, ("k",))


@pytest.mark.parametrize(
    ("properties", "values"),
    [
        ({"type": "enum", "values": "a, b"}, ["a", "b"]),
        ({"type": "integer", "range": "8,12", "interval": "2", "digits": "2"}, ["08", "10", "12"]),
        (
            {"type": "date", "range": "2026-02-27,2026-03-01", "format": "yyyy-MM-dd"},
            ["2026-02-27", "2026-02-28", "2026-03-01"],
        ),
        (
            {
                "type": "date",
                "range": "2026/02/28/22,2026/03/01/00",
                "format": "yyyy/MM/dd/HH",
                "interval": "1",
                "interval_unit": "HOURS",
            },
            ["2026/02/28/22", "2026/02/28/23", "2026/03/01/00"],
        ),
        (
            {
                "type": "date",
                "range": "2026-11,2027-01",
                "format": "yyyy-MM",
                "interval": "1",
                "interval_unit": "MONTHS",
            },
            ["2026-11", "2026-12", "2027-01"],
        ),
    ],
)
def test_projected_values(properties: dict[str, str], values: list[str]) -> None:
    """Athena user guide, "Supported types for partition projection"."""
    assert projection.values_of(one_key(**properties), "k", None) == values


@pytest.mark.parametrize("interval", ["0", "-1", "one", ""])
@pytest.mark.parametrize(
    "kind",
    [
        {"type": "integer", "range": "1,12"},
        {"type": "date", "range": "2026-02-27,2026-03-01", "format": "yyyy-MM-dd"},
    ],
    ids=["integer", "date"],
)
def test_an_interval_that_goes_nowhere_is_refused_by_name(kind: dict[str, str], interval: str) -> None:
    with pytest.raises(QueryError, match=r"INVALID_TABLE_PROPERTY: d\.t: projection\.k\.interval is"):
        projection.values_of(one_key(**kind, interval=interval), "k", None)


def test_projection_relative_to_now_ends_today() -> None:
    found = projection.values_of(one_key(type="date", range="NOW-2DAYS,NOW", format="yyyy-MM-dd"), "k", None)
    assert len(found) == 3


def test_padding_is_part_of_an_integer_value() -> None:
    t = one_key(type="integer", range="0,23", digits="2")
    assert projection.values_of(t, "k", {"2", "03", "99", "x"}) == ["03"]


def test_injected_needs_a_condition() -> None:
    t = one_key(type="injected")
    assert projection.values_of(t, "k", {"a"}) == ["a"]
    with pytest.raises(QueryError, match="CONSTRAINT_VIOLATION"):
        projection.values_of(t, "k", None)


def test_location_template() -> None:
    found = projection.partition(table(PROJECTED), ("2026", "11", "21", "02"))
    assert found.location == "s3://b/raw/2026/11/21/02/"
    plain: dict[str, Any] = {k: v for k, v in PROJECTED.items() if not k.startswith("storage")}
    assert projection.partition(table(plain), ("2026", "11", "21", "02")).location.endswith(
        "/year=2026/month=11/day=21/hour=02/"
    )


def test_text_key_against_a_number_is_refused() -> None:
    query = parse_query("SELECT * FROM t WHERE year = 2026")
    with pytest.raises(QueryError, match="TYPE_MISMATCH"):
        check_columns(query, {id(n): PLAIN for n in query.find_all(exp.Table)})


@pytest.mark.parametrize(
    ("sql", "refused"),
    [
        ("SELECT line AS a, a || 'x' AS b FROM t", True),
        ("SELECT line AS a FROM t WHERE a = 'x'", True),
        ("SELECT line AS a, count(*) AS n FROM t GROUP BY a", True),
        ("SELECT hour, count(*) AS n FROM t GROUP BY hour HAVING n > 1", True),
        ("WITH q AS (SELECT line AS a FROM t) SELECT a AS b, b AS c FROM q", True),
        ("SELECT line AS a FROM t ORDER BY a", False),
        ("SELECT line AS hour, hour AS h FROM t", False),
        ("WITH q AS (SELECT *, line AS a FROM t) SELECT a, hour AS a2 FROM q WHERE a = 'x'", False),
        ("WITH q (a) AS (VALUES 1) SELECT a + 1 AS a FROM q WHERE a > 0", False),
        ("SELECT r + 1 AS r FROM t CROSS JOIN UNNEST(ARRAY[1]) AS u(r) WHERE r > 0", False),
        ("SELECT transform(ARRAY[1], x -> x + 1) AS x FROM t", False),
        ("SELECT a AS b FROM (SELECT line AS a FROM t UNION ALL SELECT hour FROM t) WHERE a = 'x'", False),
    ],
)
def test_aliases_are_unknown_in_their_own_select(sql: str, refused: bool) -> None:
    """Trino docs, "SELECT": a select list's alias can be used in ORDER BY alone."""
    query = parse_query(sql)
    tables = {id(n): PLAIN for n in query.find_all(exp.Table) if n.name == "t"}
    if refused:
        with pytest.raises(QueryError, match="COLUMN_NOT_FOUND"):
            check_aliases(query, tables)
    else:
        check_aliases(query, tables)
