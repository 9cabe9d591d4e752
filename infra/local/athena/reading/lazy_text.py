"""Values of delimited text: scalars, and arrays, maps and structs of scalars (AWS Athena user guide, "Lazy Simple
SerDe for CSV, TSV, and custom-delimited files"; Apache Hive's LazySimpleSerDe).
"""

import re
from dataclasses import dataclass

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.sql.types import hive_to_duckdb, literal, quote, split_top


@dataclass(frozen=True)
class Delimiters:
    """What stands between the items of a collection, between a map's key and its value, for NULL, before a character
    that is no delimiter.
    """

    items: str
    keys: str
    null: str
    escape: str

    @classmethod
    def of(cls, parameters: dict[str, str]) -> "Delimiters":
        """Those that a table's SerDe parameters name, or Hive's."""
        items = parameters.get("collection.delim") or parameters.get("colelction.delim") or "\x02"
        null = parameters.get("serialization.null.format", "\\N")
        return cls(items, parameters.get("mapkey.delim", "\x03"), null, parameters.get("escape.delim", ""))


def value(text: str, hive: str, delimiters: Delimiters) -> str:
    """The DuckDB expression of a field's value; UnsupportedError for collections within others and for binary."""
    given = f"nullif({text}, {literal(delimiters.null)})"
    base, _, rest = hive.strip().lower().partition("<")
    if not rest:
        return _scalar(given, hive, delimiters)
    inner = list(split_top(rest.rstrip()[:-1]))
    items = f"string_split({given}, {literal(delimiters.items)})"
    if base == "array":
        item = _scalar("__item", inner[0], delimiters)
        filled = f"CASE WHEN {given} = '' THEN [] ELSE list_transform({items}, lambda __item: {item}) END"
    elif base == "map":
        key, kept = (
            _scalar(f"split_part(__item, {literal(delimiters.keys)}, {at})", kind, delimiters)
            for at, kind in enumerate(inner, start=1)
        )
        entries = f"list_transform({items}, lambda __item: {{'k': {key}, 'v': {kept}}})"
        filled = f"CASE WHEN {given} = '' THEN MAP {{}} ELSE map_from_entries({entries}) END"
    else:
        fields = [field.partition(":") for field in inner]
        parts = (
            f"{quote(name.strip(' `'))} := {_scalar(f'{items}[{at}]', kind, delimiters)}"
            for at, (name, _, kind) in enumerate(fields, start=1)
        )
        filled = f"CASE WHEN {given} IS NOT NULL THEN struct_pack({', '.join(parts)}) END"
    return f"CAST({filled} AS {hive_to_duckdb(hive)})"


def _scalar(text: str, hive: str, delimiters: Delimiters) -> str:
    kind = hive_to_duckdb(hive)
    if "<" in hive or kind == "BLOB":
        raise UnsupportedError(f"type {hive} in a delimited text table{' within another' if '<' in hive else ''}")
    # A field itself has been compared with the text for NULL; its items have not.
    given = text if text.startswith("nullif(") else f"nullif({text}, {literal(delimiters.null)})"
    return given if kind == "VARCHAR" else f"TRY_CAST({given} AS {kind})"


def escaped_fields(line: str, delimiter: str, escape: str) -> str:
    """The DuckDB list of a line's fields, in which `escape` stands before a character that is no delimiter."""
    one, before = re.escape(delimiter), re.escape(escape)
    pattern = f"{one}((?:[^{_in_set(delimiter)}{_in_set(escape)}]|{before}.)*)"
    return f"regexp_extract_all({literal(delimiter)} || {line}, {literal(pattern)}, 1, 's')"


def escaped_value(text: str, hive: str, delimiters: Delimiters) -> str:
    """As `value`, of a field with its escapes; UnsupportedError for collections."""
    if "<" in hive:
        raise UnsupportedError(f"type {hive} in a delimited text table with ESCAPED BY")
    escape = literal(re.escape(delimiters.escape) + "(.)")
    # NULL's own text may have the escape in it: it is looked for before the escapes are taken out.
    plain = f"CASE WHEN {text} <> {literal(delimiters.null)} THEN regexp_replace({text}, {escape}, '\\1', 'gs') END"
    return _scalar(f"nullif({plain}, NULL)", hive, delimiters)


def _in_set(char: str) -> str:
    return "\\" + char if char in "\\]^-[" else char
