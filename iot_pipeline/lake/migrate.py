"""Taking over what releases before this one left in a deployed lake. Nothing is built anew."""

from collections.abc import Sequence

from iot_pipeline.contract import Contract, former_ledger, tables
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Hour


def take_over_ledger(catalog: Catalog, contract: Contract) -> Sequence[Hour]:
    """Register the partitions of the ledger's former table under its present name; the arrival hours taken over.

    The objects stay where they are. Hours that have been judged since are left alone, so that a second call does
    nothing. Raises PublishError naming the hours that Glue refused.
    """
    former, ledger = former_ledger(contract), tables(contract).ledger
    missing = catalog.partitions(former.name).keys() - catalog.partitions(ledger.name).keys()
    found = catalog.partitions(former.name, missing)
    if found:
        catalog.publish(ledger.name, [found[hour] for hour in sorted(found)])
    return sorted(found)
