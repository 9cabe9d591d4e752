"""What the platform costs a month: `bill(config, fleet)`, by the prices of `prices.toml`."""

from infra.cost.bills import Bill, bill
from infra.cost.counted import Counts, count
from infra.cost.fleet import Fleet

__all__ = ["Bill", "Counts", "Fleet", "bill", "count"]
