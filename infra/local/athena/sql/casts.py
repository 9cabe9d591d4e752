"""Casts as DuckDB text (Trino docs, "Conversion functions")."""

import json
import re

from sqlglot import exp

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql import json_cast
from infra.local.athena.sql.arithmetic import ArithmeticText
from infra.local.athena.sql.moments import moment_text
from infra.local.athena.sql.typed import kinds
from infra.local.athena.sql.typed.kinds import Kind, duckdb_text, of_type, record
from infra.local.athena.sql.types import literal

T = exp.DataType.Type
_TYPES = {
    T.VARCHAR: "VARCHAR", T.TEXT: "VARCHAR", T.BOOLEAN: "BOOLEAN", T.TINYINT: "TINYINT", T.SMALLINT: "SMALLINT",
    T.INT: "INTEGER", T.BIGINT: "BIGINT", T.FLOAT: "FLOAT", T.DOUBLE: "DOUBLE", T.DATE: "DATE",
    T.TIMESTAMP: "TIMESTAMP", T.TIMESTAMPTZ: "TIMESTAMPTZ", T.VARBINARY: "BLOB", T.JSON: "JSON",
}  # fmt: skip
_SCALAR_CASTS = {
    T.BOOLEAN: "boolean", T.TINYINT: "tinyint", T.SMALLINT: "smallint", T.INT: "integer", T.BIGINT: "bigint",
    T.FLOAT: "real", T.DOUBLE: "double", T.DATE: "date", T.TIMESTAMP: "timestamp", T.TIMESTAMPTZ: "timestamptz",
    T.VARCHAR: "varchar", T.TEXT: "varchar",
}  # fmt: skip
# The casts that Trino has between scalar types; the macros of `macros.py` do them.
_NUMERIC = {*kinds.NUMBERS, "boolean", "varchar", "json"}
_FROM = {
    "boolean": _NUMERIC,
    **dict.fromkeys(kinds.NUMBERS, _NUMERIC),
    "varchar": {*_NUMERIC, "date", "timestamp", kinds.ZONED, kinds.DAY_TIME, kinds.YEAR_MONTH},
    "date": {"date", "varchar", "timestamp", kinds.ZONED},
    "timestamp": {"date", "varchar", "timestamp", kinds.ZONED},
    kinds.ZONED: {"date", "varchar", "timestamp", kinds.ZONED},
    "varbinary": {"varbinary"},
    "json": {*kinds.NUMBERS, "boolean", "varchar", "json", "array", "map", "row", "date", "timestamp"},
    kinds.DAY_TIME: {kinds.DAY_TIME},
    kinds.YEAR_MONTH: {kinds.YEAR_MONTH},
}
_PLAIN = {
    T.DOUBLE: r"-?\d+(\.\d+)?([eE]-?\d+)?",
    T.BIGINT: r"-?\d{1,18}",
    T.INT: r"-?\d{1,9}",
    T.DATE: r"\d{4}-\d{2}-\d{2}",
    T.TIMESTAMP: r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?",
}


def duckdb_type(kind: exp.DataType) -> str:
    """DuckDB text of a Trino type (Trino docs, "Data types"); UnsupportedError for one that it does not have."""
    found = of_type(kind)
    if found is None:
        raise UnsupportedError(f"type {kind.sql(dialect='trino')}")
    return duckdb_text(found)


class CastText(ArithmeticText):
    """The generator's part for CAST and TRY_CAST."""

    def cast(self, node: exp.Cast, value: str, *, quiet: bool) -> str:
        """A cast of `value`, the text of the node's operand; `quiet` gives NULL where the value does not fit."""
        wanted, given = of_type(node.to), record(node.this)
        if wanted is None or wanted.name == "char":
            raise UnsupportedError(f"type {node.to.sql(dialect='trino')}{' (write varchar)' if wanted else ''}")
        duckdb_text(wanted)
        if given == kinds.UNKNOWN:
            return f"CAST(NULL AS {duckdb_text(wanted)})"
        if given is not None:
            self._check(node, given, wanted)
        if not quiet and isinstance(node.this, exp.Literal) and (exact := self._literal(node, wanted)):
            return exact
        if given is not None and (typed := self._typed(node, value, given, wanted, quiet=quiet)):
            return typed
        return self._untyped(node, value, quiet=quiet)

    def _check(self, node: exp.Cast, given: Kind, wanted: Kind) -> None:
        composite = given.name == "json" or given.name == wanted.name
        allowed = composite if wanted.parts else given.name in _FROM.get(wanted.name, ())
        if not allowed:
            raise QueryError(f"TYPE_MISMATCH: line 1:1: Cannot cast {given} to {node.to.sql(dialect='trino').lower()}")

    def _literal(self, node: exp.Cast, wanted: Kind) -> str | None:
        """A text literal that both engines read alike, so that nothing needs guarding."""
        text = node.this
        pattern = _PLAIN.get(node.to.this)
        if not (pattern and text.is_string and re.fullmatch(pattern, text.name)):
            return None
        digits = len(text.name.partition(".")[2])
        if wanted.numbers and digits > wanted.numbers[0]:
            return None
        return f"CAST({literal(text.name)} AS {_TYPES[node.to.this]})"

    def _typed(self, node: exp.Cast, value: str, given: Kind, wanted: Kind, *, quiet: bool) -> str | None:
        if wanted.name == "varchar" and given.name != "json":
            return self._to_text(node, value, given, quiet=quiet)
        if given.name == kinds.ZONED and wanted.name in {"date", "timestamp"}:
            wall = self.wall(node.this)
            return f"CAST({wall} AS DATE)" if wanted.name == "date" else rounded(wall, given, wanted)
        if wanted.name == kinds.ZONED:
            if given.name == "varchar":
                raise UnsupportedError(
                    "CAST(varchar AS timestamp with time zone) of a value that is no literal "
                    "(from_iso8601_timestamp, or CAST AS timestamp and with_timezone)"
                )
            return rounded(f"CAST({value} AS TIMESTAMPTZ)", given, wanted)
        if wanted.name == "timestamp" and given.name == "timestamp":
            return rounded(value, given, wanted)
        if wanted.name == "timestamp" and given.name == "varchar" and wanted.numbers != (3,):
            parsed = f"trino_micros({value})"
            text = parsed if quiet else f"trino_must({value}, {parsed}, 'timestamp')"
            return rounded(text, Kind("timestamp", (6,)), wanted)
        if given == kinds.REAL and wanted == kinds.BIGINT:
            # Of a REAL beyond a BIGINT Java makes the last one there is; of a DOUBLE Trino refuses it.
            return (
                f"CASE WHEN NOT isnan({value}) AND {value} >= 9.223372e18 THEN 9223372036854775807 "
                f"WHEN {value} <= -9.223372e18 THEN CAST(-9223372036854775808 AS BIGINT) "
                f"ELSE {self._untyped(node, value, quiet=quiet)} END"
            )
        if wanted.name == "decimal" and given.name != "json":
            return self._to_decimal(value, given, wanted, quiet=quiet)
        if wanted.parts and given.name != "json":
            return self.between_composites(value, given, wanted, quiet=quiet)
        if wanted.name == "json":
            return self._to_json(value, given)
        if given == wanted:
            return value
        return None

    def _to_text(self, node: exp.Cast, value: str, given: Kind, *, quiet: bool) -> str:
        if given.name == kinds.ZONED:
            text = self.zoned_text(node.this, given.numbers[0])
        else:
            text = text_of_scalar(value, given)
        if not node.to.expressions:
            return text
        length = node.to.expressions[0].name
        if given.name == "varchar":
            return f"left({text}, {length})"
        failed = f"error('INVALID_CAST_ARGUMENT: Value ' || {text} || ' cannot be represented as varchar({length})')"
        return f"CASE WHEN length({text}) > {length} THEN {'NULL' if quiet else failed} ELSE {text} END"

    def _to_decimal(self, value: str, given: Kind, wanted: Kind, *, quiet: bool) -> str:
        kind = duckdb_text(wanted)
        if given.name == "varchar":
            fits = f"regexp_full_match({value}, '[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?')"
            tried = f"CASE WHEN {fits} THEN TRY_CAST({value} AS {kind}) END"
        else:
            tried = f"TRY_CAST({value} AS {kind})"
        shown = f"{'' if given.name == 'varchar' else given.name.upper() + ' '}"
        return (
            tried
            if quiet
            else f"trino_must_decimal({value}, {tried}, {literal(shown)}, {literal(str(wanted).upper())})"
        )

    def _to_json(self, value: str, given: Kind) -> str:
        if given.name in {"date", "timestamp"}:
            return f"to_json({text_of_scalar(value, given)})"
        if _holds(given, {"decimal", "real", "date", "timestamp", kinds.ZONED, "varbinary", "row"}):
            raise UnsupportedError(f"CAST({given} AS json); cast the parts to double or varchar first")
        if given == kinds.DOUBLE:
            # A text, as JSON has no such numbers.
            return f"CASE WHEN isfinite({value}) THEN to_json({value}) ELSE to_json(java_double({value})) END"
        if _holds(given, {"double"}):
            return f"trino_must_be_finite({value}, trino_to_json({value}))"
        return "CAST(NULL AS JSON)" if given == kinds.UNKNOWN else f"trino_to_json({value})"

    def between_composites(self, value: str, given: Kind, wanted: Kind, *, quiet: bool) -> str | None:
        """A cast between arrays, maps and rows, item by item where DuckDB's own conversion of the items is another."""
        if None in given.parts or _plain_cast(given, wanted):
            return f"{'TRY_CAST' if quiet else 'CAST'}({value} AS {duckdb_text(wanted)})"
        if quiet:
            raise UnsupportedError(f"TRY_CAST of {given} to {wanted} (transform its parts one by one)")
        return self._converted(value, given, wanted, 0)

    def _converted(self, value: str, given: Kind | None, wanted: Kind | None, depth: int) -> str:
        """A value of one type in another, part by part."""
        if given is None or wanted is None or len(given.parts) != len(wanted.parts):
            raise UnsupportedError(f"cast of {given} to {wanted} (transform its parts one by one)")
        if _plain_cast(given, wanted):
            return f"CAST({value} AS {duckdb_text(wanted)})"
        if given.name == "array":
            item = f"__c{depth}"
            inner = self._converted(item, given.parts[0], wanted.parts[0], depth + 1)
            return f"list_transform({value}, lambda {item}: {inner})"
        if given.name == "row":
            parts = zip(given.parts, wanted.parts, strict=True)
            fields = [
                self._converted(f"struct_extract_at({value}, {n})", a, b, depth + 1)
                for n, (a, b) in enumerate(parts, 1)
            ]
            built = f"CAST(row({', '.join(fields)}) AS {duckdb_text(wanted)})"
            return f"CASE WHEN {value} IS NOT NULL THEN {built} END"
        return self._scalar_text(value, given, wanted)

    def _scalar_text(self, value: str, given: Kind, wanted: Kind) -> str:
        if wanted.name == "varchar" and given.name in _FROM["varchar"]:
            return text_of_scalar(value, given)
        unlike = wanted.name in {"map", kinds.ZONED, "timestamp"} or given.name not in _FROM.get(wanted.name, ())
        if unlike:
            raise UnsupportedError(f"cast of a part from {given} to {wanted} (transform the parts one by one)")
        if wanted.name == "decimal":
            return self._to_decimal(value, given, wanted, quiet=False)
        return f"trino_must({value}, trino_try_{wanted.name}({value}), {literal(wanted.name)})"

    # Types that are not known: the macros look at DuckDB's

    def _untyped(self, node: exp.Cast, value: str, *, quiet: bool) -> str:
        kind = node.to
        if kind.this in _SCALAR_CASTS:
            name = _SCALAR_CASTS[kind.this]
            tried = f"trino_try_{name}({value})"
            text = tried if quiet else f"trino_must({value}, {tried}, {literal(name)})"
            length = kind.expressions and kind.this in {T.VARCHAR, T.TEXT}
            return f"left({text}, {kind.expressions[0].name})" if length else text
        if kind.this == T.JSON:
            return f"trino_to_json({value})"
        if kind.this in {T.ARRAY, T.MAP, T.STRUCT}:
            return self._json_cast(node, value, quiet=quiet)
        if kind.this in {T.DECIMAL, T.VARBINARY}:
            return f"{'TRY_CAST' if quiet else 'CAST'}({value} AS {duckdb_type(kind)})"
        raise UnsupportedError(f"cast to {kind.sql(dialect='trino')}")

    def _json_cast(self, node: exp.Cast, value: str, *, quiet: bool) -> str:
        """CAST(x AS ROW/ARRAY/MAP): of JSON by json_cast's rules, of anything else DuckDB's own cast."""
        described = json_cast.descriptor(node.to)
        text = f"CAST({value} AS VARCHAR)"
        opening = literal("[" if described[0] == "array" else "{")
        kind = duckdb_type(_lowered(node.to))
        blanks = f"starts_with(ltrim({text}, e' \\t\\r\\n'), {opening})"
        shaped = f"CASE WHEN starts_with({text}, {opening}) THEN true ELSE {blanks} END"
        pattern = json_cast.suspicious(described)
        strange = f" AND NOT regexp_matches({text}, {literal(pattern)})" if pattern else ""
        plain = f"{text} IS NULL OR ({shaped}{strange})"
        fitted = f"json_fit({text}, {literal(json.dumps(described))})"
        if not quiet:
            fitted = f"coalesce({fitted}, error('INVALID_CAST_ARGUMENT: Cannot cast to {kind.replace(chr(39), '')}'))"
        inner = f"TRY_CAST({value} AS JSON)"  # of a JSON value no work at all
        fitted = f"TRY_CAST(CAST({fitted} AS JSON) AS {kind})"
        own = f"TRY_CAST({inner} AS {kind})"
        if described[0] == "map" and not _parsed_here(node.this):
            own = f"coalesce({own}, {fitted})"  # DuckDB makes no map of a key that comes twice; a JSON value has none
        if quiet and not pattern:
            fitted = "NULL"  # of another shape, which is what the cast refuses
        cast = f"CASE WHEN {plain} THEN {own} ELSE {fitted} END"
        if record(node.this):
            return cast  # a JSON value, since no other of a known type comes here
        own = f"{'TRY_CAST' if quiet else 'CAST'}({value} AS {kind})"
        return f"CASE WHEN typeof({value}) = 'JSON' THEN {cast} ELSE {own} END"


def may_fail(given: Kind | None, wanted: Kind | None) -> bool:
    """Whether a cast between rows may fail at a value of one of their fields."""
    if given is None or wanted is None or given.name != "row":
        return False
    pairs = zip(given.parts, wanted.parts, strict=False)
    return any(not (_plain_cast(a, b) or (a and b and a.name in _SURE and b.name in _ROOMY)) for a, b in pairs)


_SURE, _ROOMY = {*kinds.NUMBERS, "boolean", "date", "timestamp"}, {"real", "double", "varchar"}


def text_of_scalar(value: str, given: Kind) -> str:
    """CAST(x AS VARCHAR) of a scalar, as Trino prints it."""
    if given.name == "varchar":
        return value
    if given.name in {"real", "double"}:
        return f"trino_{given.name}_text({value})"
    if given.name == "timestamp":
        return moment_text(value, given.numbers[0])
    if given.name == kinds.ZONED:
        return f"({moment_text(f'CAST({value} AS TIMESTAMP)', given.numbers[0])} || ' UTC')"
    if given.name in {kinds.DAY_TIME, kinds.YEAR_MONTH}:
        return f"trino_{'day_time' if given.name == kinds.DAY_TIME else 'year_month'}_text({value})"
    return f"CAST({value} AS VARCHAR)"


def rounded(value: str, given: Kind, wanted: Kind) -> str:
    """A timestamp with no more digits of a second than the type has, rounded half up."""
    digits = wanted.numbers[0]
    if given.name == "date":
        return f"CAST({value} AS {duckdb_text(wanted)})"
    if not given.numbers or given.numbers[0] <= digits:
        return value
    step = 10 ** (6 - digits)
    unit = {0: "second", 3: "millisecond"}.get(digits)
    if unit:
        return f"date_trunc('{unit}', {value} + INTERVAL {step // 2} MICROSECOND)"
    shifted = f"({value} + INTERVAL {step // 2} MICROSECOND)"
    return f"({shifted} - to_microseconds(epoch_us({shifted}) % {step}))"


def _holds(kind: Kind | None, names: set[str]) -> bool:
    return kind is not None and (kind.name in names or any(_holds(part, names) for part in kind.parts))


_WIDENING = {name: at for at, name in enumerate((*kinds.INTEGERS, "real", "double"))}


def _plain_cast(given: Kind | None, wanted: Kind | None) -> bool:
    """Whether DuckDB's own cast of the one type to the other is Trino's, for every value."""
    if given is None or wanted is None:
        return False
    if given == wanted or given == kinds.UNKNOWN:
        return True
    if given.name in _WIDENING and wanted.name in _WIDENING:
        return _WIDENING[given.name] <= _WIDENING[wanted.name]
    if given.name == wanted.name and given.parts and len(given.parts) == len(wanted.parts):
        return all(_plain_cast(a, b) for a, b in zip(given.parts, wanted.parts, strict=True))
    text = given.name in {*kinds.INTEGERS, "boolean", "date", "decimal"} and wanted.name == "varchar"
    return text or (given.name in kinds.INTEGERS and wanted.name == "decimal")


def _parsed_here(node: exp.Expr) -> bool:
    """Whether a cast is straight from json_parse, where Trino refuses keys that come twice."""
    node = node.unnest()
    while isinstance(node, exp.Anonymous) and node.name.lower() == "try":
        node = node.expressions[0].unnest()
    return isinstance(node, exp.Anonymous) and node.name.lower() == "json_parse"


def _lowered(kind: exp.DataType) -> exp.DataType:
    """The type with its field names in lower case, as Trino keeps them."""
    kind = kind.copy()
    for field in kind.find_all(exp.ColumnDef):
        field.set("this", exp.to_identifier(field.name.lower()))
    return kind
