"""The bill as people read it, and as JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.cost.bills import Bill, Line
from infra.cost.choices import Alternative
from infra.cost.price_list import FreeKind
from infra.cost.usage import Usage

_ALWAYS, _FIRST_YEAR = (FreeKind.ALWAYS,), (FreeKind.ALWAYS, FreeKind.FIRST_YEAR)
_MARK = " (?)"


def title(of: Bill) -> str:
    """What the bill is of."""
    fleet = of.fleet
    return (
        f"{fleet.devices:,} devices, a reading every {fleet.interval_seconds:g} s each, {fleet.pack} a message; "
        f"size {of.config.size}; US dollars a month of 730 hours, the lake a year old"
    )


def print_bill(of: Bill, others: Iterable[Alternative], console: Console) -> None:
    """Services, what drives the bill, the free tier where it counts, alternatives, notes and assumptions."""
    console.print(services_table(of))
    console.print(drivers_table(of))
    if of.total < 1000:
        console.print(free_table(of))
    console.print(alternatives_table(of, others))
    for text in footnotes(of):
        console.print(text, soft_wrap=True)


def services_table(of: Bill) -> Table:
    """Dollars by service, as listed and with what is free."""
    table = Table("service", "by the list", "less what is always free", "and in a first year", "most of it")
    table.title, table.title_justify = title(of), "left"
    for name in of.by_service:
        lines = of.of(name)
        mark = _MARK if any(line in of.unverified for line in lines) else ""
        table.add_row(f"{name}{mark}", *sums(lines), _uses(lines[0]))
    table.add_row("all", *sums(of.lines), "")
    return table


def sums(lines: Iterable[Line]) -> list[str]:
    """Dollars by the list, less what is always free, and less what is free in a first year as well."""
    lines = list(lines)
    return [_money(sum(line.dollars_with(*kinds) for line in lines)) for kinds in ((), _ALWAYS, _FIRST_YEAR)]


def drivers_table(of: Bill) -> Table:
    """The three dearest lines: units, price, and how the units come about."""
    table = Table("what drives the bill", "units a month", "price", "dollars", "of the bill", "how it comes about")
    for line in of.drivers():
        basis = "; ".join(f"{use.what}: {use.basis}" if use.basis else use.what for use in line.uses)
        share = f"{line.dollars / of.total:.0%}"
        table.add_row(line.price.what, _units(line.units), _price(line), _money(line.dollars), share, basis)
    return table


def free_table(of: Bill) -> Table:
    """What is free of what the bill has, used and left."""
    table = Table("free a month", "used", "free", "for whom", "")
    table.title, table.title_justify = "The free tier: first year is of accounts made before 2025-07-15", "left"
    for line in of.lines:
        if line.free:
            within = line.units <= line.free.units
            table.add_row(
                f"{line.price.service}: {line.price.what}",
                _units(line.units),
                _units(line.free.units),
                line.free.kind,
                "within" if within else f"{_units(line.units - line.free.units)} beyond",
            )
    return table


def alternatives_table(of: Bill, others: Iterable[Alternative]) -> Table:
    """Each alternative's total beside the bill's own."""
    table = Table(
        "alternative", "dollars", "difference", "gives up", title="One choice otherwise", title_justify="left"
    )
    for each in others:
        table.add_row(each.name, _money(each.bill.total), f"{each.bill.total - of.total:+,.2f}", each.gives_up)
    return table


def footnotes(of: Bill) -> Iterator[str]:
    """What a reader has to know: notes, prices without a page, what is assumed, what is left out."""
    yield from of.notes
    if of.unverified:
        names = ", ".join(f"{line.price.service}: {line.price.what}" for line in of.unverified)
        total = sum(line.dollars for line in of.unverified)
        yield f"(?) No page was found for the price of {names}; {_money(total)} of the bill."
    assumed = dict.fromkeys(_assumption(line, use) for line in of.lines for use in line.uses if "assumed" in use.basis)
    yield f"Assumed: {'; '.join(assumed)}."
    yield (
        "Left out: taxes, discounts, support; data transfer to the internet and between zones; what people ask of "
        "Athena and the warehouse; GuardDuty and QuickSight. Prices and their sources: infra/cost/prices.toml."
    )


def as_json(of: Bill, others: Iterable[Alternative]) -> dict[str, Any]:
    """Everything, for a program."""
    return {
        "fleet": {
            "devices": of.fleet.devices,
            "interval_seconds": of.fleet.interval_seconds,
            "pack": of.fleet.pack,
        },
        "size": str(of.config.size),
        "usd_a_month": of.total,
        "usd_a_month_less_always_free": of.total_with(*_ALWAYS),
        "usd_a_month_in_a_first_year": of.total_with(*_FIRST_YEAR),
        "services": dict(of.by_service),
        "lines": [_line_json(line) for line in of.lines],
        "notes": list(of.notes),
        "alternatives": [
            {"name": each.name, "usd_a_month": each.bill.total, "gives_up": each.gives_up} for each in others
        ],
    }


def _line_json(line: Line) -> dict[str, Any]:
    price = line.price
    return {
        "price": price.name,
        "service": price.service,
        "what": price.what,
        "units": line.units,
        "unit": price.unit,
        "usd": line.dollars,
        "usd_for": {"usd": price.tiers[0].usd, "units": price.per},
        "region": price.region,
        "date": price.date,
        "source": price.source,
        "confidence": str(price.confidence),
        "uses": [{"what": use.what, "units": use.units, "basis": use.basis} for use in line.uses],
    }


def _assumption(line: Line, use: Usage) -> str:
    basis = use.basis
    for mark in (" (assumed)", ", assumed", "assumed: ", "assumed"):
        basis = basis.replace(mark, "")
    return f"{line.price.service}, {use.what}: {basis}" if basis else f"{line.price.service}: {use.what}"


def _uses(line: Line) -> str:
    return f"{line.price.what}: {_units(line.units)}"


def _price(line: Line) -> str:
    price = line.price
    return (
        f"{price.tiers[0].usd:g} a {price.unit}" if price.per == 1 else f"{price.tiers[0].usd:g} for {price.per:,.0f}"
    )


def _units(units: float) -> str:
    return f"{units:,.0f}" if units >= 100 else f"{units:,.3g}"


def _money(dollars: float) -> str:
    return f"{dollars:,.2f}"
