"""Random texts over Trino's grammar and beside it, and two readers of what the guard makes of them.

`python -m iot_pipeline_tests.support.sql_fuzz 100000 [seed]` tries so many and prints what became of them. Both readers
know nothing of sqlglot: one reads tokens by a regular expression, the other is DuckDB's parser.
"""

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow as pa

from iot_pipeline.console.query.guard import Guarded, RefusedError, Scope, guard
from iot_pipeline.contract import tables
from iot_pipeline.contract.tables import registry_history
from iot_pipeline_tests.support import guarded
from iot_pipeline_tests.support.guarded import FOREIGN, OWN, START, foreign_in

_TABLES = ["telemetry", "device_telemetry", "curated_telemetry", "daily_telemetry", "quarantined_telemetry"]
_TABLES += ["registry_sites", "registry_devices", "alert_history"]
_OPEN = {**dict.fromkeys(_TABLES, "tenant"), "registry_sites": "tenant_id", "registry_devices": "tenant_id"}
_OTHERS = ["ledger", "raw_lines", "information_schema.tables", '"curated_telemetry$partitions"', "alone.telemetry"]
_OTHERS += ["system.runtime.queries", "q1_a", "nothing", 'telemetry."telemetry"', "awsdatacatalog.telemetry.telemetry"]
_COLUMNS = [
    "tenant",
    "device_id",
    "site",
    "seq",
    "temperature",
    "event_time",
    "fw",
    "extras",
    "year",
    "hour",
    "tenant_id",
]
_COLUMNS += ['"$path"', '"tenant"', "TENANT", "x", "a", "t.tenant", "telemetry.tenant", "registered_tenant"]
_NAMES = ["a", "b", "t", "telemetry", "ledger", "curated_telemetry", "Device_Telemetry", '"telemetry"', "q1_a", "x"]
_CALLS = ["max", "min", "count", "array_agg", "coalesce", "lower", "length", "abs", "current_user", "version", "eval"]
_CALLS += [
    "cardinality",
    "date_trunc",
    "approx_percentile",
    "map_keys",
    "row",
    "if",
    "try",
    '"max"',
    "typeof",
    "concat",
]
_SIGNS = ["+", "-", "*", "/", "||", "=", "<>", "<", ">=", "AND", "OR", "LIKE", "IS DISTINCT FROM", "::", "->"]
_JUNK = ["--", "/*", "*/", ";", "'", '"', "(", ")", "[", "]", "$", "?", "@", "{{", "}}", "`", "\\", "\x00", "\u202e"]
_JUNK += ["NOT", "SELECT", "FROM", "WITH", "UNION", ",", ".", "LATERAL", "TABLE", "DELETE", "U&'\\0041'", "X'00'", "é"]


class Writer:
    """Writes statements. `random` decides everything, so that a seed repeats them."""

    def __init__(self, source: random.Random) -> None:
        self._random = source

    def statement(self) -> str:
        """A text: mostly of the grammar, sometimes with something changed in it."""
        text = self._query(3)
        if self._random.random() < 0.05:
            text = self._one("EXPLAIN ", "DELETE FROM telemetry; ", "INSERT INTO telemetry ", "PREPARE x FROM ") + text
        return self._spoilt(text) if self._random.random() < 0.3 else text

    def _spoilt(self, text: str) -> str:
        words = text.split(" ")
        for _ in range(self._random.randint(1, 3)):
            at = self._random.randrange(len(words))
            change = self._random.randrange(4)
            if change == 0:
                del words[at]
            elif change == 1:
                words.insert(at, self._one(*_JUNK))
            elif change == 2:
                words.insert(at, words[at])
            else:
                words[at] = words[self._random.randrange(len(words))]
            words = words or [""]
        return " ".join(words)

    def _query(self, depth: int) -> str:
        with_ = self._with(depth) if depth and self._random.random() < 0.35 else ""
        text = self._select(depth)
        while depth and self._random.random() < 0.15:
            text += self._one(" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT ") + self._select(depth - 1)
        text += self._maybe(0.2, lambda: f" ORDER BY {self._one('1', self._value(1))}")
        return with_ + text + self._maybe(0.2, lambda: f" LIMIT {self._one('5', '100', 'ALL', '1 + 1')}")

    def _with(self, depth: int) -> str:
        entries = (f"{self._one(*_NAMES)} AS ({self._query(depth - 1)})" for _ in range(self._random.randint(1, 3)))
        return f"WITH {self._maybe(0.05, lambda: 'RECURSIVE ')}{', '.join(entries)} "

    def _select(self, depth: int) -> str:
        items = (self._item(depth) for _ in range(self._random.randint(1, 3)))
        text = f"SELECT {self._maybe(0.1, lambda: 'DISTINCT ')}{', '.join(items)}"
        text += self._maybe(0.9, lambda: f" FROM {self._from(depth)}")
        text += self._maybe(0.35, lambda: f" WHERE {self._value(depth)}")
        text += self._maybe(
            0.15,
            lambda: f" GROUP BY {self._one('1', 'tenant', 'ROLLUP (tenant, site)', 'GROUPING SETS ((tenant), ())')}",
        )
        return text + self._maybe(0.05, lambda: f" HAVING {self._value(depth)}")

    def _item(self, depth: int) -> str:
        kinds = ["*", "t.*", "telemetry.*", "count(*)", *_COLUMNS[:6]]
        text = self._one(*kinds) if self._random.random() < 0.7 else self._value(depth)
        return text + self._maybe(0.2, lambda: f" AS {self._one(*_NAMES)}")

    def _from(self, depth: int) -> str:
        text = self._relation(depth)
        while self._random.random() < 0.3:
            join = self._one(" JOIN ", " LEFT JOIN ", " FULL OUTER JOIN ", " CROSS JOIN ", ", ", " RIGHT JOIN ")
            text += join + self._maybe(0.1, lambda: "LATERAL ") + self._relation(depth)
            if join.endswith("JOIN ") and "CROSS" not in join:
                text += self._one(" ON true", " USING (device_id)", " USING (tenant)", f" ON {self._value(1)}")
        return text

    def _relation(self, depth: int) -> str:
        kind = self._random.random()
        if depth and kind < 0.2:
            return f"({self._query(depth - 1)}){self._alias()}"
        if kind < 0.25:
            return f"UNNEST(ARRAY[1, 2]){self._one(' AS u(n)', ' WITH ORDINALITY AS u(n, o)', '')}"
        if kind < 0.28:
            return f"(VALUES (1, 'a'), (2, tenant)){self._alias()}"
        if depth and kind < 0.31:
            return f"({self._from(depth - 1)})"
        if kind < 0.38:
            return self._one(*_OTHERS) + self._alias()
        if kind < 0.5:
            return self._one(*_NAMES) + self._alias()
        name = self._one(*_TABLES)
        name = self._one(name, name, name, name.upper(), f'"{name}"', f"telemetry.{name}")
        return name + self._alias()

    def _alias(self) -> str:
        return self._one("", "", f" AS {self._one(*_NAMES)}", " t", " AS t")

    def _value(self, depth: int) -> str:
        kind = self._random.random()
        if depth <= 0 or kind < 0.35:
            return self._one(*_COLUMNS, "1", "0.5", "'acme'", "'globex'", "NULL", "true", "DATE '2026-11-20'", "1e3")
        inner = depth - 1
        forms = (
            lambda: f"{self._value(inner)} {self._one(*_SIGNS)} {self._value(inner)}",
            lambda: f"{self._one(*_CALLS)}({self._value(inner)})",
            lambda: f"({self._value(inner)})",
            lambda: f"NOT {self._value(inner)}",
            lambda: f"CASE WHEN {self._value(inner)} THEN {self._value(inner)} ELSE {self._value(inner)} END",
            lambda: f"{self._one('CAST', 'TRY_CAST')}({self._value(inner)} AS {self._one('varchar', 'json', 'evil')})",
            lambda: f"({self._query(inner)})",
            lambda: f"EXISTS ({self._query(inner)})",
            lambda: f"{self._one(*_COLUMNS)} IN ({self._query(inner)})",
            lambda: f"{self._one(*_COLUMNS)} IN ('acme', {self._value(inner)})",
            lambda: f"{self._value(inner)} BETWEEN {self._value(inner)} AND {self._value(inner)}",
            lambda: f"max({self._value(inner)}) OVER (PARTITION BY tenant ORDER BY {self._value(0)})",
            lambda: f"transform(ARRAY[1, 2], x -> {self._value(inner)})",
            lambda: f"{self._one(*_COLUMNS)} IS NOT NULL",
            lambda: f"extras['{self._one('x', '$path')}']",
            lambda: f"/* {self._one(*_NAMES)} */ {self._value(inner)}",
        )
        return self._random.choice(forms)()

    def _one(self, *of: str) -> str:
        return self._random.choice(of)

    def _maybe(self, chance: float, text: Callable[[], str]) -> str:
        return text() if self._random.random() < chance else ""


_TOKEN = re.compile(
    r"""\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*|[0-9.]+(?:[eE][+-]?\d+)?|->|[<>=!|]+|.)""", re.DOTALL
)


def check_tokens(sql: str) -> None:
    """Raises AssertionError unless each table of the database stands in a filter of ours, by the tokens alone."""
    tokens = [found[1] for found in _TOKEN.finditer(sql)]
    assert tokens[0] in {"SELECT", "WITH", "VALUES", "("}, sql
    assert not {";", "--", "`", "$", "?", "@", "{"} & set(tokens), sql
    for at, token in enumerate(tokens):
        assert not (token == "-" and tokens[at + 1 : at + 2] == ["-"] and "--" in sql.replace("- -", "")), sql
        from_ = tokens[at - 1] == "FROM" and tokens[at - 2] != "DISTINCT"
        if from_ and token == '"telemetry"' and tokens[at + 1 : at + 2] == ["."]:
            table = tokens[at + 2].strip('"')
            assert tokens[at + 3 : at + 8] == ["WHERE", f'"{_OPEN[table]}"', "=", f"'{OWN}'", ")"], sql
        elif token in {"FROM", "JOIN"} and tokens[at + 1].startswith('"') and tokens[at + 1] != '"telemetry"':
            # FROM also stands in EXTRACT and TRIM, and in IS DISTINCT FROM.
            expression = tokens[at - 1] == "DISTINCT" or tokens[at + 1].strip('"').lower() not in {*_OPEN, "ledger"}
            assert expression or re.match(r'"q\d+_', tokens[at + 1]), sql


def check_parsed(con: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """The same by DuckDB's parser; False for a text that is Trino's alone."""
    (text,) = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone() or ("",)
    tree = json.loads(text)
    if tree.get("error"):
        return False
    assert len(tree["statements"]) == 1, sql
    named = {entry["key"] for node in _nodes(tree) if "cte_map" in node for entry in node["cte_map"]["map"]}
    filtered = [id(node["from_table"]) for node in _nodes(tree) if node.get("from_table") and _is_own(node)]
    for node in _nodes(tree):
        if node.get("type") == "BASE_TABLE":
            if node["schema_name"]:
                assert id(node) in filtered, f"{node} is not filtered in {sql}"
            else:
                assert node["table_name"] in named, f"{node} is a table in {sql}"
                assert re.match(r"q\d+_", node["table_name"]), sql
    return True


def _is_own(select: dict[str, Any]) -> bool:
    table, where = select["from_table"], select.get("where_clause")
    if table.get("type") != "BASE_TABLE" or table["schema_name"] != "telemetry" or not where:
        return False
    column = where.get("left", {}).get("column_names")
    value = where.get("right", {}).get("literal", {}).get("text")
    return bool(where["type"] == "COMPARE_EQUAL" and column == [_OPEN[table["table_name"]]] and value == OWN)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    stack = [tree]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            yield each
            stack += each.values()
        elif isinstance(each, list):
            stack += each


def database() -> duckdb.DuckDBPyConnection:
    """DuckDB with the tables of both tenants in a schema `telemetry`."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA telemetry")
    zones = tables()
    for table in (
        zones.curated_telemetry,
        zones.daily_telemetry,
        zones.quarantined_telemetry,
        zones.alert_history,
        *registry_history(),
    ):
        rows = [row for n, tenant in enumerate((OWN, FOREIGN)) for row in guarded.rows(table, tenant, START, n)]
        keys = {"year": "2026", "month": "11", "day": "20", "hour": "22"}
        rows = [row | {key: keys[key] for key in table.partition_keys if key not in row} for row in rows]
        held = pa.Table.from_pylist(rows)  # read by its name below
        con.execute(f"CREATE TABLE telemetry.{table.name} AS SELECT * FROM held")
        del held
    con.execute("CREATE VIEW telemetry.telemetry AS SELECT * FROM telemetry.curated_telemetry")
    con.execute(
        "CREATE VIEW telemetry.device_telemetry AS SELECT t.*, d.device_name, d.status AS device_status, d.model_id, "
        "d.model_name, d.manufacturer, d.tenant_id AS registered_tenant, s.tenant_name, d.site_id AS registered_site, "
        "s.site_name, s.customer_id, s.customer_name, s.country, s.timezone FROM telemetry.telemetry AS t "
        "LEFT JOIN telemetry.registry_devices AS d ON d.device_id = t.device_id "
        "LEFT JOIN telemetry.registry_sites AS s ON s.tenant_id = d.tenant_id AND s.site_id = d.site_id"
    )
    con.execute("SET threads = 1; SET memory_limit = '1GB'; SET enable_external_access = false")
    return con


def try_out(count: int, seed: int, run_every: int) -> Counter[str]:
    """Try statements, and run every so-manieth that passes. Raises AssertionError for one that gets around the guard.

    Counts: `refused` by kind, `passed`, `parsed` by DuckDB, `ran`, `rows`.
    """
    writer, con, scope, seen = Writer(random.Random(seed)), database(), Scope("telemetry", OWN, 200), Counter[str]()
    for _ in range(count):
        text = writer.statement()
        made = _guarded(text, scope)
        if isinstance(made, RefusedError):
            assert min(made.line, made.column) >= 1, text
            seen[f"refused: {made.kind}"] += 1
            continue
        seen["passed"] += 1
        check_tokens(made.sql)
        seen["parsed"] += check_parsed(con, made.sql)
        if seen["passed"] % run_every == 0:
            _run(con, made.sql, seen)
    return seen


def _guarded(text: str, scope: Scope) -> Guarded | RefusedError:
    try:
        return guard(text, scope)
    except RefusedError as error:
        return error


def _run(con: duckdb.DuckDBPyConnection, sql: str, seen: Counter[str]) -> None:
    try:
        found = con.execute(sql).fetchall()
    except duckdb.Error as error:
        seen[f"not run: {type(error).__name__}"] += 1
        return
    seen["ran"] += 1
    seen["rows"] += len(found)
    # The writer writes 'globex' as a text of its own.
    shown = [row for row in foreign_in(found) if FOREIGN not in sql or guarded.MARK in repr(row)]
    assert not shown, f"{shown[:2]} by {sql}"


if __name__ == "__main__":
    number, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    started = time.monotonic()
    for name, times in sorted(try_out(number, first, 5).items(), key=lambda item: -item[1]):
        print(f"{times:>8,}  {name}")
    print(
        f"{number:,} statements, seed {first}: no foreign row, no write, no crash; {time.monotonic() - started:.0f} s"
    )
