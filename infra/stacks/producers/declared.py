"""Producers without certificates: backends that put records to a stream of their own (docs/producers.md)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_NAME = re.compile("[a-z][a-z0-9-]{1,23}")
# A provisioned stream's default quota in the smaller regions (Kinesis guide, "Quotas and limits").
_MOST_SHARDS = 200


@dataclass(frozen=True)
class Producer:
    """Who may put records of which devices: those of a tenant at some of its sites.

    A shard takes 1,000 records and 1 MiB a second (Kinesis guide, "Quotas and limits").
    """

    name: str
    tenant: str
    sites: tuple[str, ...]
    shards: int = 1

    @property
    def construct_id(self) -> str:
        """What the ids of its constructs begin with."""
        return "".join(part.capitalize() for part in self.name.split("-"))


def producers_of(where: str, tables: Any) -> tuple[Producer, ...]:
    """Those of an array of tables. Raises ValueError that names the table and the key."""
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise ValueError(f"{where} = {tables!r}: expected tables [[<environment>.producers]]")
    return tuple(_producer(f"{where}[{number}]", table) for number, table in enumerate(tables))


def _producer(where: str, table: dict[str, Any]) -> Producer:
    types = {"name": str, "tenant": str, "sites": list, "shards": int}
    for key, value in table.items():
        if key not in types:
            raise ValueError(f"{where} {key}: there is no such setting; there are {', '.join(types)}")
        if not isinstance(value, types[key]) or isinstance(value, bool):
            raise ValueError(f"{where} {key} = {value!r}: expected {types[key].__name__}")  # noqa: TRY004  a text of the file, not a mistake of the caller
    if missing := [key for key in ("name", "tenant", "sites") if not table.get(key)]:
        raise ValueError(f"{where}: {', '.join(missing)} must be set")
    if not all(isinstance(site, str) and site for site in table["sites"]):
        raise ValueError(f"{where} sites = {table['sites']!r}: expected a list of texts")
    return Producer(**{**table, "sites": tuple(table["sites"])})


def producer_problems(producers: Iterable[Producer], *, has_stream: bool) -> Iterator[str]:
    """What AWS would refuse: a sentence for each, with the field, what it is and what was expected."""
    names = [producer.name for producer in producers]
    if names and not has_stream:
        yield f"producers {', '.join(names)}: this size has no stream to forward to; take size team or production"
    if len(set(names)) != len(names):
        yield f"producers {', '.join(names)}: each name may occur once"
    for producer in producers:
        if not _NAME.fullmatch(producer.name):
            yield f"producer {producer.name!r} must be 2 to 24 lower-case letters, digits and hyphens, a letter first"
        if not 1 <= producer.shards <= _MOST_SHARDS:
            yield f"producer {producer.name}: shards must be 1 to {_MOST_SHARDS}: {producer.shards}"
