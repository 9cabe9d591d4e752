"""The catalog's tables say what Athena needs to read them: the right SerDe, and a projection of the right form."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, text

_HIVE = "org.apache.hadoop.hive"
_TEXT = ("org.apache.hadoop.mapred.TextInputFormat", f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat")
_PARQUET = tuple(f"{_HIVE}.ql.io.parquet.MapredParquet{way}Format" for way in ("Input", "Output"))
# SerDe: its formats in and out (Athena guide, "Choose a SerDe for your data" and its pages on each SerDe).
_SERDES = {
    "org.openx.data.jsonserde.JsonSerDe": _TEXT,
    f"{_HIVE}.serde2.lazy.LazySimpleSerDe": _TEXT,
    f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe": _PARQUET,
}
_CLASSES = {"json": "org.openx.data.jsonserde.JsonSerDe", "parquet": f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe"}
_RANGE = re.compile(r"(\d+),(\d+)")
# What the partition keys of time can be; a projection that leaves some out hides their data.
_WHOLE = {"month": ("1", "12"), "day": ("1", "31"), "hour": ("0", "23")}
_TYPES = frozenset({"enum", "integer", "date", "injected"})


def tables_can_be_read(environment: Synthesised) -> Problems:
    """SerDe and formats belong together, and to what the table says of its format."""
    for table in environment.of_type("AWS::Glue::Table"):
        says = table.properties["TableInput"]
        storage = says.get("StorageDescriptor", {})
        serde = storage.get("SerdeInfo", {}).get("SerializationLibrary")
        formats = (storage.get("InputFormat"), storage.get("OutputFormat"))
        if serde not in _SERDES:
            yield table, f"SerDe {serde}: Athena has none of that name here"
        elif formats != _SERDES[serde]:
            yield table, f"{serde} does not read {', '.join(map(str, formats))}"
        named = says.get("Parameters", {}).get("classification")
        if named is not None and serde != _CLASSES.get(named):
            yield table, f"says that it is {named}, and its SerDe is {serde}"
        if not text(storage.get("Location", "")).endswith("/"):
            yield table, "its location is no folder: Athena wants a slash at its end"


def projections_have_the_right_form(environment: Synthesised) -> Problems:
    """Athena takes a wrong projection and answers with no rows.

    Athena guide, "Supported types for partition projection".
    """
    for table in environment.of_type("AWS::Glue::Table"):
        says = table.properties["TableInput"]
        parameters = says.get("Parameters", {})
        keys = [key["Name"] for key in listed(says.get("PartitionKeys"))]
        projected = {name.split(".")[1] for name in parameters if re.fullmatch(r"projection\.\w+\.type", name)}
        if str(parameters.get("projection.enabled", "false")) != "true":
            if projected:
                yield table, "has a projection that is not enabled"
            continue
        for key in keys:
            yield from ((table, problem) for problem in _problems(key, parameters))
        for key in sorted(projected - set(keys)):
            yield table, f"projects {key}, which is no partition key"
        yield from ((table, problem) for problem in _template(table, keys, text(parameters.get(_TEMPLATE, ""))))


_TEMPLATE = "storage.location.template"


def _problems(key: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    kind = parameters.get(f"projection.{key}.type")
    if kind not in _TYPES:
        yield f"projection.{key}.type is {kind}: expected one of {', '.join(sorted(_TYPES))}"
    if kind != "integer":
        return
    bounds = str(parameters.get(f"projection.{key}.range", ""))
    matched = _RANGE.fullmatch(bounds)
    if not matched:
        yield f"projection.{key}.range is {bounds!r}: expected two whole numbers with a comma, as 0,23"
        return
    if key in _WHOLE and matched.groups() != _WHOLE[key]:
        yield f"projection.{key}.range is {bounds!r}: expected {','.join(_WHOLE[key])}"
    if int(matched[1]) > int(matched[2]):
        yield f"projection.{key}.range is {bounds!r}: nothing is between these"
    # Folders are written with two digits; without `digits` Athena would look for hour=5.
    if key in _WHOLE and str(parameters.get(f"projection.{key}.digits")) != "2":
        yield f"projection.{key}.digits is {parameters.get(f'projection.{key}.digits')}: folders have two"
    if str(parameters.get(f"projection.{key}.interval", "1")) != "1":
        yield f"projection.{key}.interval leaves out what is between"


def _template(table: Resource, keys: list[str], template: str) -> Iterator[str]:
    expected = text(table.properties["TableInput"]["StorageDescriptor"]["Location"])
    expected += "".join(f"{key}=${{{key}}}/" for key in keys)
    if template != expected:
        yield f"{_TEMPLATE} is {template}: expected {expected}"
