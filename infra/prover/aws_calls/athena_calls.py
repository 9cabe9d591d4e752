"""What Athena calls in the name of whoever has it run statements: on the catalog, on what tables lie on, on results."""

from collections.abc import Iterable, Iterator

from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, listing, need
from iot_pipeline.contract import CONTRACT, layout, tables
from iot_pipeline.lake.publishing import BUILD_TABLE_PREFIX
from iot_pipeline.lake.statements import DEVICE_VIEW, TELEMETRY_VIEW
from iot_pipeline.streaming.statements import NOW_VIEW, RECENT_VIEW

_STATEMENTS = "pyathena: a statement is started, waited for, read, and stopped where its reader is"
_DATA = 'Athena guide, "Control access to Amazon S3 from Athena"'
_CATALOG = 'Athena guide, "Configure access to databases and tables in the AWS Glue Data Catalog"'
_RESULTS = (*("GetObject", "PutObject"), *("AbortMultipartUpload", "ListMultipartUploadParts"))
_READING = ("GetDatabase", "GetTable", "GetTables", "GetPartition", "GetPartitions", "BatchGetPartition")
# Where CTAS writes: the zones of which versions are built (iot_pipeline/lake/statements.py, `build_...`).
BUILT = (layout.JUDGED, layout.LEDGER, layout.QUARANTINE, layout.CURATED, layout.DAILY)


def statement_calls(environment: Environment, group: Resource) -> Iterator[Need]:
    """Running statements in a workgroup that read the lake's tables: the calls of pyathena and of Athena."""
    arn = environment.arn(group)
    for name in ("StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution"):
        yield need(f"athena:{name}", arn, _STATEMENTS)
    yield from _results(group)
    yield from _reading(environment)


def building_calls(environment: Environment) -> Iterator[Need]:
    """CTAS into tables of a build's own, and their removal: what the calls of Glue's client do not do."""
    lake = f"arn:aws:s3:::{environment.config.lake_bucket}"
    for action in ("CreateTable", "BatchCreatePartition"):
        yield from on_tables(environment, action, [f"{BUILD_TABLE_PREFIX}*"], _CATALOG)
    for prefix in BUILT:
        for action in ("PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"):
            yield need(f"s3:{action}", f"{lake}/{prefix}*", _DATA)
    yield need("s3:ListBucketMultipartUploads", lake, _DATA)


def view_calls(environment: Environment) -> Iterator[Need]:
    """CREATE OR REPLACE VIEW of the two views that people read."""
    for action in ("CreateTable", "UpdateTable"):
        yield from on_tables(environment, action, [TELEMETRY_VIEW, DEVICE_VIEW], _CATALOG)


def streamed_calls(environment: Environment) -> Iterator[Need]:
    """What the reconciliation of streamed micro-batches asks: their table, and the two views on it."""
    lake = f"arn:aws:s3:::{environment.config.lake_bucket}"
    yield listing(lake, layout.STREAMED, _DATA)
    yield need("s3:GetObject", f"{lake}/{layout.STREAMED}*", _DATA)
    for action in ("CreateTable", "UpdateTable"):
        yield from on_tables(environment, action, [RECENT_VIEW, NOW_VIEW], _CATALOG)


def on_tables(environment: Environment, action: str, names: Iterable[str], why: str) -> Iterator[Need]:
    """A call of Glue on tables, which is one on their database and on the catalog too (Glue guide, "Specifying AWS Glue
    resource ARNs").
    """
    config = environment.config
    glue, database = f"arn:aws:glue:{config.region}:{config.account}:", config.database
    of_tables = (f"table/{database}/{name}" for name in names)
    for resource in ("catalog", f"database/{database}", *of_tables):
        yield need(f"glue:{action}", glue + resource, why)


def _results(group: Resource) -> Iterator[Need]:
    location = group.properties["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"]
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    arn = f"arn:aws:s3:::{bucket}"
    for action in ("GetBucketLocation", "ListBucketMultipartUploads"):
        yield need(f"s3:{action}", arn, _DATA)
    for action in _RESULTS:
        yield need(f"s3:{action}", f"{arn}/{prefix}*", _DATA)
    yield listing(arn, prefix, _DATA)


def _reading(environment: Environment) -> Iterator[Need]:
    lake = f"arn:aws:s3:::{environment.config.lake_bucket}"
    yield need("s3:GetBucketLocation", lake, _DATA)
    # The views read the registry's snapshot beside the tables of the contract.
    for prefix in sorted({layout.REGISTRY, *(table.prefix for table in tables(CONTRACT).all)}):
        yield listing(lake, prefix, _DATA)
        yield need("s3:GetObject", f"{lake}/{prefix}*", _DATA)
    for action in _READING:
        yield from on_tables(environment, action, ["*"], _CATALOG)
