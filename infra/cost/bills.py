"""The bill: a month's quantities with their prices, as listed and with what is free."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from infra.cost.athena_statements import athena
from infra.cost.backfills import month_again
from infra.cost.chosen_ways import chosen_ways
from infra.cost.counted import Counts, counts_of
from infra.cost.databases import registry, wanted_rpu_hours, warehouse
from infra.cost.design import Design, Warehouse, design_of
from infra.cost.edge_calls import edge
from infra.cost.fleet import Fleet
from infra.cost.intake import iot_core, stream
from infra.cost.price_list import Confidence, Free, FreeKind, Price, price_list
from infra.cost.pulls import pulls
from infra.cost.standing import guards, services, standing
from infra.cost.storage import lake
from infra.cost.usage import Usage
from infra.stacks.config import PlatformConfig

# From here on a reader is told how late a pack makes its first reading.
_LATE_SECONDS = 900


@dataclass(frozen=True)
class Line:
    """One price of the bill, with all that was used of it."""

    price: Price
    uses: tuple[Usage, ...]
    free: Free | None

    @property
    def units(self) -> float:
        """Units of the month."""
        return sum(use.units for use in self.uses)

    @property
    def dollars(self) -> float:
        """By the list."""
        return self.price.dollars(self.units)

    def dollars_with(self, *kinds: FreeKind) -> float:
        """After what is free of these kinds."""
        free = self.free.units if self.free and self.free.kind in kinds else 0.0
        return self.price.dollars(max(0.0, self.units - free))


@dataclass(frozen=True)
class Bill:
    """A month of a fleet in an environment: its lines, and what a reader has to know of it."""

    config: PlatformConfig
    fleet: Fleet
    design: Design
    lines: Sequence[Line]
    notes: Sequence[str]

    @cached_property
    def total(self) -> float:
        """US dollars a month, by the list."""
        return sum(line.dollars for line in self.lines)

    def total_with(self, *kinds: FreeKind) -> float:
        """US dollars a month after what is free of these kinds."""
        return sum(line.dollars_with(*kinds) for line in self.lines)

    @cached_property
    def by_service(self) -> Mapping[str, float]:
        """US dollars by service, the dearest first."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.price.service] = sums.get(line.price.service, 0.0) + line.dollars
        return dict(sorted(sums.items(), key=lambda each: -each[1]))

    def of(self, service: str) -> list[Line]:
        """A service's lines, the dearest first."""
        return sorted((line for line in self.lines if line.price.service == service), key=lambda line: -line.dollars)

    def drivers(self, count: int = 3) -> list[Line]:
        """The dearest lines."""
        return sorted(self.lines, key=lambda line: -line.dollars)[:count]

    def units(self, price: str) -> float:
        """Units of a price; 0 if the bill has none."""
        return sum(line.units for line in self.lines if line.price.name == price)

    @property
    def unverified(self) -> list[Line]:
        """Lines whose price no page was found for."""
        return [line for line in self.lines if line.price.confidence is Confidence.UNVERIFIED]


def bill(config: PlatformConfig, fleet: Fleet, design: Design | None = None, counts: Counts | None = None) -> Bill:
    """The bill of a month.

    `design` is the environment's own unless another is given, `counts` what the templates of its size hold unless
    other templates were counted. Raises ValueError if a data file is wrong.
    """
    design = design or design_of(config)
    counts = counts or counts_of(config.size)
    lines = priced(_uses(config, fleet, design, counts))
    return Bill(config, fleet, design, lines, list(_notes(config, fleet, design)))


def priced(uses: Iterable[Usage]) -> list[Line]:
    """A line for each price that something is used of."""
    by_price: dict[str, list[Usage]] = {}
    for use in uses:
        if use.units > 0:
            by_price.setdefault(use.price, []).append(use)
    prices = price_list()
    return [Line(prices[name], tuple(of_price), prices.free.get(name)) for name, of_price in by_price.items()]


def _uses(config: PlatformConfig, fleet: Fleet, design: Design, counts: Counts) -> Iterator[Usage]:
    yield from iot_core(fleet, design)
    yield from stream(fleet, config, design)
    yield from edge(fleet, config, design)
    yield from lake(fleet, config, design)
    yield from athena(fleet, design)
    yield from registry(fleet, config)
    yield from warehouse(fleet, config, design)
    yield from pulls(config)
    yield from chosen_ways(fleet, config, design)
    yield from services(config, design, counts)
    yield from standing(fleet, config, design, counts)
    yield from guards(fleet, config, design, counts)


def _notes(config: PlatformConfig, fleet: Fleet, design: Design) -> Iterator[str]:
    if fleet.age_seconds >= _LATE_SECONDS:
        yield (
            f"A message's first reading is {fleet.age_seconds / 60:,.0f} minutes old when it is sent: "
            "alerts come as late, and silence is noticed as late."
        )
    wanted = wanted_rpu_hours(fleet, config, design)
    if design.warehouse is Warehouse.SERVERLESS and wanted > config.warehouse_rpu_hours_a_day:
        yield (
            f"The warehouse would want {wanted:,.0f} RPU-hours a day; at the day's limit of "
            f"{config.warehouse_rpu_hours_a_day} it refuses queries until midnight UTC. Build less often, or set "
            "warehouse_seconds_a_build to what builds take."
        )
    if config.parts.databases:
        yield month_again(fleet, design).told
    if not design.stream:
        yield "Without a stream there is no edge: no live state, and alerts come with the builds at the soonest."
