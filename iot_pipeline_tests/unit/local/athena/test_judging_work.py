"""How often judging writes a JSON text by the slow way: once or so a value that needs it, whatever the SQL nests.

Athena's forms of JSON are written by a function in Python. DuckDB works out an argument as often as a macro names it
where a lambda or a CASE keeps it from sharing the work: nested calls once cost hundreds of them a value, and judging
100 s of CPU a million readings.
"""

from datetime import UTC, datetime

import pytest

from infra.local.athena.sql import engine
from infra.local.athena.sql.dialect import parse_query
from infra.local.athena.sql.java_json import java_json
from infra.local.athena.sql.translate import to_duckdb
from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.transformation import judged_rows, literal
from iot_pipeline_tests.support.messages import line, message, reading

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
# Two unknown fields are written, written again and written together; a refused reading twice, its value in the detail.
MOST_A_READING = 8
ODD = {"note": {"b": 1.50, "a": "é\u0001"}, "location": {"lat": 1.5, "lon": 2.5, "alt": {"m": 3.25}}}


def test_a_json_text_is_written_few_times_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str | None] = []

    def counted(text: str | None) -> str | None:
        written.append(text)
        return java_json(text)

    monkeypatch.setattr(engine, "java_json", counted)
    con = engine.connect()
    lines = [
        line(message(reading(NOW, seq, temperature=temperature, **odd)), NOW).decode().strip()
        for temperature in (21.5, 999.0)
        for odd in ({}, ODD)
        for seq in range(10)
    ]
    values = ", ".join(f"('object', {literal(each)}, '2026', '11', '28', '12')" for each in lines)
    source = f"SELECT * FROM (VALUES {values}) AS t(object, line, year, month, day, hour)"
    rows = con.sql(to_duckdb(parse_query(judged_rows(CONTRACT, source)), shortcuts=True)).fetchall()
    assert len(rows) == len(lines)
    # Plain readings need none of it.
    assert 0 < len(written) <= 3 / 4 * len(lines) * MOST_A_READING
    assert None not in written
