"""Taking over what releases before this one left in a deployed lake. Nothing is built anew."""

from collections.abc import Sequence

from iot_pipeline.contract import Contract, former_ledger, tables
from iot_pipeline.lake.catalog import Catalog, ForeignPartition, Partition
from iot_pipeline.lake.hours import Hour


def take_over_ledger(catalog: Catalog, contract: Contract) -> Sequence[Hour]:
    """Register the partitions of the ledger's former table under its present name; the arrival hours taken over.

    The objects stay where they are. Hours that have been judged since are left alone, so that a second call does
    nothing. Raises PublishError naming the hours that Glue refused.
    """
    found = former_partitions(catalog, contract)
    if found:
        catalog.publish(tables(contract).ledger.name, [found[hour] for hour in sorted(found)])
    return sorted(found)


def left_alone(catalog: Catalog, contract: Contract) -> Sequence[ForeignPartition]:
    """The partitions of the former table whose values are no hour: nothing takes them over."""
    return catalog.listed(former_ledger(contract).name).foreign


def former_partitions(catalog: Catalog, contract: Contract) -> dict[Hour, Partition]:
    """The partitions of the ledger's former table whose hours the ledger does not have yet."""
    taken_over = catalog.partitions(tables(contract).ledger.name)
    former = catalog.partitions(former_ledger(contract).name)
    return {hour: partition for hour, partition in former.items() if hour not in taken_over}
