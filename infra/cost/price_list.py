"""The list of prices and of what is free: `prices.toml`, read and validated."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

FILE = Path(__file__).with_name("prices.toml")
_PRICE_KEYS = {"service", "what", "unit", "per", "usd", "region", "date", "source", "confidence", "tiers", "note"}
_FREE_KEYS = {"units", "kind", "date", "source", "confidence"}


class Confidence(StrEnum):
    """How far a price can be trusted; `prices.toml` says what each means."""

    PUBLISHED = "published"
    SECOND_HAND = "second hand"
    UNVERIFIED = "unverified"


class FreeKind(StrEnum):
    """For whom something is free."""

    ALWAYS = "always"
    FIRST_YEAR = "first year"


_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True)
class Tier:
    """What a unit costs, in US dollars for the price's `per` units, up to a number of units a month."""

    usd: float
    up_to: float = float("inf")


@dataclass(frozen=True)
class Price:
    """US dollars for `per` units of something, where, when and by whom that was said."""

    name: str
    service: str
    what: str
    unit: str
    per: float
    tiers: tuple[Tier, ...]
    region: str
    date: str
    source: str
    confidence: Confidence
    note: str = ""

    def dollars(self, units: float) -> float:
        """What so many units of a month cost."""
        total, below = 0.0, 0.0
        for tier in self.tiers:
            total += max(0.0, min(units, tier.up_to) - below) * tier.usd / self.per
            below = tier.up_to
        return total


@dataclass(frozen=True)
class Free:
    """Units a month that cost nothing, and for whom."""

    units: float
    kind: FreeKind
    date: str
    source: str
    confidence: Confidence


@dataclass(frozen=True)
class PriceList:
    """All prices, and what is free, by the names of the prices."""

    prices: Mapping[str, Price]
    free: Mapping[str, Free]

    def __getitem__(self, name: str) -> Price:
        return self.prices[name]


@cache
def price_list(file: Path = FILE) -> PriceList:
    """Read the list. Raises ValueError that names the file, the entry and the key, and says what was expected."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file.name}: {error}") from error
    prices = {name: _price(f"{file.name}: [price.{name}]", name, each) for name, each in content["price"].items()}
    free = {name: _free(f"{file.name}: [free.{name}]", each) for name, each in content.get("free", {}).items()}
    if unknown := free.keys() - prices.keys():
        raise ValueError(f"{file.name}: [free.{min(unknown)}]: there is no price of that name")
    return PriceList(prices, free)


def _price(where: str, name: str, entry: Mapping[str, Any]) -> Price:
    _check(where, entry, _PRICE_KEYS, _PRICE_KEYS - {"tiers", "note"})
    steps = entry.get("tiers", [{"usd": entry["usd"]}])
    tiers = tuple(Tier(float(step["usd"]), float(step.get("up_to", "inf"))) for step in steps)
    bounds = [tier.up_to for tier in tiers]
    if tiers[0].usd != entry["usd"] or bounds[-1] != float("inf") or sorted(set(bounds)) != bounds:
        raise ValueError(
            f"{where} tiers: expected to begin with usd = {entry['usd']}, to rise, and to end without up_to"
        )
    texts = {key: str(entry[key]) for key in ("service", "what", "unit", "region", "date", "source")}
    confidence = _chosen(where, "confidence", entry, Confidence)
    return Price(
        name=name,
        per=_positive(where, "per", entry),
        tiers=tiers,
        confidence=confidence,
        note=entry.get("note", ""),
        **texts,
    )


def _free(where: str, entry: Mapping[str, Any]) -> Free:
    _check(where, entry, _FREE_KEYS, _FREE_KEYS)
    return Free(
        units=_positive(where, "units", entry),
        kind=_chosen(where, "kind", entry, FreeKind),
        date=entry["date"],
        source=entry["source"],
        confidence=_chosen(where, "confidence", entry, Confidence),
    )


def _check(where: str, entry: Mapping[str, Any], known: set[str], needed: set[str]) -> None:
    if unknown := entry.keys() - known:
        raise ValueError(f"{where} {min(unknown)}: there is no such key; there are {', '.join(sorted(known))}")
    if missing := {key for key in needed if entry.get(key) in (None, "")}:
        raise ValueError(f"{where} {min(missing)}: missing or empty; every entry says it")


def _positive(where: str, key: str, entry: Mapping[str, Any]) -> float:
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(f"{where} {key} = {value!r}: expected a number above 0")
    return float(value)


def _chosen(where: str, key: str, entry: Mapping[str, Any], choices: type[_Choice]) -> _Choice:
    try:
        return choices(entry[key])
    except ValueError as error:
        raise ValueError(f"{where} {key} = {entry[key]!r}: expected one of {', '.join(choices)}") from error
