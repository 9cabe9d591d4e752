"""Spark in Athena's place: it runs the lake's own statements, so that builds and books are the same code."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from py4j.protocol import Py4JError
from pyathena.error import OperationalError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import udf
from sqlglot import exp

from iot_pipeline.contract import PARTITION_KEYS, Table, tables
from iot_pipeline.contract.json_text import json_text
from iot_pipeline.lake.athena import Athena, QueryResult, Row
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.objects import StoredObject
from iot_pipeline.lake.publishing import BUILD_TABLE_PREFIX
from iot_pipeline.lake.statements import Target
from iot_pipeline.spark import rendering
from iot_pipeline.spark.columns import spark_schema
from iot_pipeline.spark.reading import counting_reader, judging_reader, parquet_reader
from iot_pipeline.spark.rendering import Statement, UnsupportedStatementError
from iot_pipeline.spark.scans import PATH, Scan, Scans
from iot_pipeline.spark.writing import WRITTEN, parquet_writer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The rows of a device stand together in the order of time, as in what Athena builds: small Parquet.
_ORDER = ("device_id", "event_time", "seq")


class SparkEngine(Athena):
    """Runs the statements of `lake/statements.py` that build and audit; any other is refused by name.

    What Athena bills is zero here: Spark is billed by time. `results` keep the bytes of the objects that were read.
    """

    def __init__(self, spark: SparkSession, scans: Scans) -> None:
        """An engine over one lake."""
        super().__init__(workgroup="", database=scans.catalog.database)
        self._spark = spark
        self._scans = scans
        self._builds: dict[str, tuple[Table, str]] = {}
        spark.udf.register(rendering.JSON_NAMES, udf(json_text, "string"))

    @property
    def dollars(self) -> float:
        """Nothing: the job's run says how long it took."""
        return 0.0

    def run(self, sql: str) -> QueryResult:
        """Run a statement to its end.

        Raises UnsupportedStatementError, with nothing run, for a statement that is not known to mean the same here, and
        pyathena.error.OperationalError, as Athena's client, if it fails.
        """
        began, number = time.monotonic(), len(self.results)
        statement = rendering.read(sql, self._scans.contract)
        views, read = self._views(statement, number)
        text = statement.sql()
        try:
            data = self._spark.sql(text)
            if statement.target:
                self._write(data, statement.target)
                columns, rows = (), list[Row]()
            else:
                columns, rows = tuple(data.columns), _rows(data)
        except (Py4JError, PySparkException) as error:
            raise OperationalError(f"Spark: {_reason(error)}") from error
        finally:
            for view in views:
                self._spark.catalog.dropTempView(view)
        took = round((time.monotonic() - began) * 1000)
        result = QueryResult(f"spark-{number}", columns, rows, read, took)
        self.results.append(result)
        return result

    def _views(self, statement: Statement, number: int) -> tuple[list[str], int]:
        """Views of all that a statement reads, whose names take the tables' places in it; the bytes of their objects.

        The source of raw lines is first asked for its objects alone: their lines are read where they are judged.
        """
        views: list[str] = []
        total = 0
        if statement.lines is not None:
            source = _without_line(statement.lines)
            total += self._replace(source, f"source_{number}", views)
            listed = self._spark.sql(rendering.spark_sql(source))
            for relation, data in self._of_lines(listed).items():
                data.createOrReplaceTempView(relation)
                views.append(relation)
        total += self._replace(statement.query, f"scan_{number}", views)
        return views, total

    def _of_lines(self, listed: DataFrame) -> dict[str, DataFrame]:
        """What Python makes of raw lines, lazily: a statement names one of these."""
        contract = self._scans.contract
        judged = self._scans.table("judged_telemetry")
        names = [column.name for column in judged.columns]
        return {
            rendering.JUDGED_LINES: listed.mapInArrow(judging_reader(judged, contract), spark_schema(judged, names)),
            rendering.RECEIVED_LINES: listed.mapInArrow(
                counting_reader(), f"received bigint, {', '.join(f'{key} string' for key in PARTITION_KEYS)}"
            ),
        }

    def _replace(self, query: exp.Query, prefix: str, views: list[str]) -> int:
        total = 0
        for number, table in enumerate(list(rendering.tables_in(query))):
            if table.name in {rendering.JUDGED_LINES, rendering.RECEIVED_LINES}:
                continue
            select = table.find_ancestor(exp.Select)
            if not isinstance(select, exp.Select):
                raise UnsupportedStatementError(f"{table.sql()} stands outside of a SELECT")
            scan, view = self._scan(table.name, select), f"{prefix}_{number}"
            total += sum(item.size for item, _ in scan.objects)
            self._data(scan).createOrReplaceTempView(view)
            views.append(view)
            table.replace(exp.to_table(view))
        return total

    def _scan(self, name: str, select: exp.Select) -> Scan:
        if not name.startswith(BUILD_TABLE_PREFIX):
            return self._scans.of(self._scans.table(name), select)
        if name not in self._builds:
            raise UnsupportedStatementError(f"{name} is no build of this session")
        return self._scans.of_build(*self._builds[name], select)

    def _data(self, scan: Scan) -> DataFrame:
        """A scan's rows, as many tasks as there are processors for; of raw lines their objects' names alone."""
        listed = self._listed(scan.objects)
        if scan.table.projected:
            return listed
        reader = parquet_reader(scan.table, scan.columns)
        return listed.mapInArrow(reader, spark_schema(scan.table, scan.columns, PATH))

    def _listed(self, objects: Sequence[tuple[StoredObject, Hour]]) -> DataFrame:
        context = self._spark.sparkContext
        rows = [(*hour.values, item.uri) for item, hour in objects]
        parts = max(1, min(len(rows), 4 * context.defaultParallelism))
        schema = ", ".join(f"`{name}` string" for name in (*PARTITION_KEYS, PATH))
        return self._spark.createDataFrame(context.parallelize(rows, parts), schema)

    def _write(self, data: DataFrame, target: Target) -> None:
        """Write what a query gives; what lies there afterwards must be what its tasks say they wrote."""
        table = self._table_of(target)
        names = [*(column.name for column in table.columns), *PARTITION_KEYS]
        rows = data.toDF(*names)
        if table.name != "judged_telemetry":
            order = [name for name in _ORDER if name in names] if table.name == "curated_telemetry" else []
            rows = rows.repartition(*PARTITION_KEYS).sortWithinPartitions(*PARTITION_KEYS, *order)
        written = rows.mapInArrow(parquet_writer(table, target.location), WRITTEN).collect()
        there = {item.uri for item in self._scans.objects.at(target.location)}
        if there != {row["uri"] for row in written}:
            raise OperationalError(f"{target.location} holds other objects than its tasks wrote; build it again")
        self._builds[target.table] = (table, target.location)

    def _table_of(self, target: Target) -> Table:
        found = tables(self._scans.contract)
        for table in (found.judged_telemetry, found.ledger, found.quarantined_telemetry, found.curated_telemetry):
            if f"/{table.prefix}v=" in target.location:
                return table
        raise UnsupportedStatementError(f"{target.location} is no place of a table that Spark builds")


def _without_line(source: exp.Select) -> exp.Select:
    """The source of lines without their texts. Raises UnsupportedStatementError if it does more than pass them on."""
    bare = source.copy()
    bare.set("expressions", [it for it in bare.expressions if it.name != "line"])
    if any(column.name == "line" for column in bare.find_all(exp.Column)):
        raise UnsupportedStatementError(f"a source of raw lines that looks into them: {source.sql()[:200]}")
    return bare


def _rows(data: DataFrame) -> list[Row]:
    """Rows as Athena's client gives them: times without a zone, which mean UTC."""
    times = {it.name for it in data.schema.fields if it.dataType.typeName() == "timestamp"}
    plain = data.selectExpr(*(f"unix_micros(`{it}`) AS `{it}`" if it in times else f"`{it}`" for it in data.columns))
    return [tuple(_value(row[it], it in times) for it in data.columns) for row in plain.collect()]


def _value(value: Any, is_time: bool) -> Any:
    if value is None or not is_time:
        return value
    return (_EPOCH + timedelta(microseconds=value)).replace(tzinfo=None)


def _reason(error: Exception) -> str:
    """The message without the stack of Java that follows it."""
    lines: Iterable[str] = str(error).splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\tat ", "\t... ")))[:2_000]
