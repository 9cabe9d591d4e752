"""Loads and facts of releases before content ids get the ids of the partitions that they were made from.

Without them every hour would count as changed, and the upgrade would load the warehouse and build the facts anew.
"""

from redshift_connector.core import Connection

from iot_pipeline.contract import Table
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Hour
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.transaction import run

# Redshift takes statements of up to 16 MB ("Amazon Redshift quotas"); so many hours are about 40 kB.
BATCH = 500


def adopt_content(connection: Connection, catalog: Catalog, curated: Table) -> list[str]:
    """Note the content ids, in the connection's transaction; the statements that ran.

    A load whose location is no longer that of the curated partition stays without one: it is loaded again.
    """
    loads = {Hour.from_sql(row[0]): str(row[1]) for row in run(connection, statements.loads_without_content())}
    partitions = catalog.partitions(curated.name, loads)
    contents = {
        hour: partitions[hour].content or ""
        for hour, location in sorted(loads.items())
        if hour in partitions and partitions[hour].location == location and partitions[hour].content
    }
    hours = list(contents)
    done = [
        statements.note_contents({hour: contents[hour] for hour in hours[start : start + BATCH]})
        for start in range(0, len(hours), BATCH)
    ]
    columns = {str(row[0]) for row in run(connection, statements.fact_hours_columns())}
    if columns and "content" not in columns:
        done += [statements.add_content_of_facts(), statements.note_contents_of_facts()]
    for sql in done:
        run(connection, sql)
    return done
