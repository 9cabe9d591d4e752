"""A part survives its way from the executor to the driver, and its rows have the table's columns."""

import io
from datetime import UTC, datetime

import pyarrow.parquet as pq

from iot_pipeline.contract import CONTRACT
from iot_pipeline.contract.tables import streamed_telemetry, tables
from iot_pipeline.streaming.judged_parts import Part, part_of
from iot_pipeline.streaming.verdicts import StreamRecord
from iot_pipeline_tests.support.messages import line, message, reading

AT = datetime(2026, 11, 5, 12, tzinfo=UTC)


def test_a_part_is_the_same_after_its_way() -> None:
    sent = line(message(reading(AT, 1), reading(None, 2)), AT)
    for records in ([StreamRecord("495", sent), StreamRecord("7", b"{")], []):
        part = part_of(records, CONTRACT)
        assert Part.of(part.rows, part.notes) == part


def test_rows_have_the_columns_of_the_table() -> None:
    part = part_of([StreamRecord("1", line(message(reading(AT, 1)), AT))], CONTRACT)
    assert pq.read_schema(io.BytesIO(part.rows)).names == [column.name for column in streamed_telemetry().columns]


def test_the_table_has_all_that_a_curated_row_is_made_of() -> None:
    made_of = {column.name for column in streamed_telemetry().columns} - {"position", "receptions"}
    assert made_of == {column.name for column in tables().curated_telemetry.columns} - {"duplicates", "conflicts"}
