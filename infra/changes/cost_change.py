"""What a change of the stacks costs a month: of what stands in them, by the cost model."""

from pathlib import Path

from infra.cost import Bill, Fleet, bill
from infra.cost.counted import count, templates
from infra.stacks.config import PlatformConfig

# Whose requests are billed in both; the difference is of what stands, whatever the fleet.
_FLEET = Fleet(devices=10_000, interval_seconds=60, pack=25)
_LEAST_DOLLARS = 0.005


def cost_lines(before: Path, after: Path, config: PlatformConfig) -> list[str]:
    """Lines with the difference of two cloud assemblies of an environment, by service, in US dollars a month.

    What both bill alike, such as messages, is the configuration's of today in both: only resources are compared (keys,
    secrets, endpoints, tasks, alarms, trails), as `infra/cost/counted.py` counts them.
    """
    old, new = _bill(before, config), _bill(after, config)
    services = sorted(old.by_service.keys() | new.by_service.keys())
    differences = {name: new.by_service.get(name, 0.0) - old.by_service.get(name, 0.0) for name in services}
    moved = [f"  {name}: {dollars:+,.2f}" for name, dollars in differences.items() if abs(dollars) >= _LEAST_DOLLARS]
    total = new.total - old.total
    return [f"Cost of what stands: {total:+,.2f} dollars a month (list prices, `make cost`)", *moved]


def _bill(assembly: Path, config: PlatformConfig) -> Bill:
    return bill(config, _FLEET, counts=count(templates(assembly)))
