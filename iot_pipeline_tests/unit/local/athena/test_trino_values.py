"""What Trino's client protocol says of types and values, as Athena shows it (Trino docs, "Trino client REST API")."""

from typing import Any

import pytest

from infra.local.athena.engines.trino_values import column_info, kind_of, shown
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import Kind

MIDNIGHT = "2020-01-01 00:00:00.000"


def simple(name: str, *numbers: int) -> dict[str, Any]:
    return {"rawType": name, "arguments": [{"kind": "LONG", "value": number} for number in numbers]}


def of(name: str, *inner: dict[str, Any]) -> dict[str, Any]:
    return {"rawType": name, "arguments": [{"kind": "TYPE", "value": each} for each in inner]}


def row(*fields: tuple[str | None, dict[str, Any]]) -> dict[str, Any]:
    named = [{"fieldName": {"name": name} if name else None, "typeSignature": kind} for name, kind in fields]
    return {"rawType": "row", "arguments": [{"kind": "NAMED_TYPE", "value": each} for each in named]}


@pytest.mark.parametrize(
    ("signature", "value", "text"),
    [
        (simple("bigint"), 9223372036854775807, "9223372036854775807"),
        (simple("double"), 2e10, "2.0E10"),
        (simple("double"), "NaN", "NaN"),
        (simple("real"), 1.1, "1.1"),
        (simple("decimal", 38, 9), "0.000000000", "0.000000000"),
        (simple("boolean"), True, "true"),
        (simple("varchar", 2147483646), "ä", "ä"),
        (simple("varchar", 3), None, None),
        (simple("varbinary"), "Cv8=", "0a ff"),
        (simple("json"), '{"a":1}', '{"a":1}'),
        (simple("date"), "2020-01-01", "2020-01-01"),
        (simple("timestamp", 0), "2020-01-01 00:00:00", "2020-01-01 00:00:00.000"),
        (simple("timestamp", 6), "2020-01-01 00:00:00.123456", "2020-01-01 00:00:00.123456"),
        (simple("timestamp with time zone", 0), "2020-01-01 00:00:00 +01:00", "2020-01-01 00:00:00.000 +01:00"),
        (simple("interval day to second"), "2 00:00:00.000", "2 00:00:00.000"),
        (of("array", simple("double")), [2.0, None], "[2.0, null]"),
        (of("array", simple("varbinary")), ["/w==", None], "[ff, null]"),
        (of("map", simple("varchar", 1), simple("decimal", 2, 1)), {"a": "1.5"}, "{a=1.5}"),
        (row((None, simple("integer")), ("b", simple("varchar", 1))), [1, "x"], "{field0=1, b=x}"),
        (of("array", row((None, simple("timestamp", 0)))), [["2020-01-01 00:00:00"]], f"[{{field0={MIDNIGHT}}}]"),
    ],
)  # fmt: skip
def test_values_are_shown_as_athena_shows_them(signature: dict[str, Any], value: Any, text: str | None) -> None:
    kind = kind_of(signature)
    assert shown([[value], [value]], [kind]).column(0).to_pylist() == [text, text]


def test_columns_are_described_as_the_api_describes_them() -> None:
    described = column_info("x", kind_of(simple("decimal", 12, 2)))
    assert (described["Type"], described["Precision"], described["Scale"]) == ("decimal", 12, 2)
    assert column_info("x", kinds.REAL)["Type"] == "float"
    assert column_info("x", Kind("timestamp", (6,)))["Precision"] == 6
    assert column_info("x", kinds.VARCHAR)["Precision"] == 2147483647
