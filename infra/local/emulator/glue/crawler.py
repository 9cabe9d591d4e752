"""Glue crawlers that crawl.

AWS Glue developer guide: "Crawler properties", "Setting crawler configuration options", "How crawlers work"; API
reference: Crawler, LastCrawlInfo, CrawlerMetrics. Stock ministack only changes a crawler's state. Not emulated:
schedules (start the crawler), custom classifiers, targets other than S3 and the catalog, and merging sibling
folders of similar schemas.
"""

import contextvars
import json
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import error_response_json, json_response, new_uuid
from ministack.services import glue, s3

from infra.local.emulator import state
from infra.local.emulator.glue import crawler_layout as layout
from infra.local.emulator.glue import crawler_permissions as permissions
from infra.local.emulator.glue import crawler_schema as schema
from infra.local.emulator.glue import partitions as local_glue
from infra.local.emulator.glue.crawler_table import storage_descriptor, table_parameters

log = logging.getLogger("local_aws.crawler")


@dataclass
class Run:
    """What one crawl does and has done."""

    crawler: Any
    created: int = 0
    updated: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def database(self) -> str:
        """The crawler's database."""
        return str(self.crawler["DatabaseName"])

    @property
    def configuration(self) -> Any:
        """The crawler's Configuration."""
        return json.loads(self.crawler.get("Configuration") or "{}")

    @property
    def output(self) -> Any:
        """`CrawlerOutput` of the Configuration."""
        return self.configuration.get("CrawlerOutput") or {}

    def table_level(self, prefix: str) -> int | None:
        """`TableLevelConfiguration`; CombineCompatibleSchemas without one makes the crawled folder one table."""
        grouping = self.configuration.get("Grouping") or {}
        combines = grouping.get("TableGroupingPolicy") == "CombineCompatibleSchemas"
        level = grouping.get("TableLevelConfiguration") or (1 + prefix.count("/") if combines else None)
        return None if level is None else int(level)

    @property
    def updates_tables(self) -> bool:
        """Whether a changed schema changes the table."""
        policy = self.crawler.get("SchemaChangePolicy") or {}
        return bool(policy.get("UpdateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE")

    @property
    def merges_columns(self) -> bool:
        """Whether existing columns are kept as they are and new ones added."""
        return bool((self.output.get("Tables") or {}).get("AddOrUpdateBehavior") == "MergeNewColumns")


_runs: dict[str, Run] = {}


def install() -> None:
    """Replace the crawler operations that pretend."""
    glue._start_crawler = _start_crawler
    glue._stop_crawler = _stop_crawler
    glue._get_crawler_metrics = _get_crawler_metrics


def _start_crawler(data: Any) -> Any:
    name = data.get("Name")
    crawler = glue._crawlers.get(name)
    if crawler is None:
        return error_response_json("EntityNotFoundException", f"Crawler {name} not found", 400)
    if crawler["State"] != "READY":
        return error_response_json("CrawlerRunningException", f"Crawler {name} is {crawler['State']}", 400)
    crawler["State"] = "RUNNING"
    _runs[name] = run = Run(crawler)
    threading.Thread(
        target=contextvars.copy_context().run, args=(_crawl, run), name=f"crawler-{name}", daemon=True
    ).start()
    return json_response({})


def _stop_crawler(data: Any) -> Any:
    crawler = glue._crawlers.get(data.get("Name"))
    if crawler is None:
        return error_response_json("EntityNotFoundException", f"Crawler {data.get('Name')} not found", 400)
    if crawler["State"] != "RUNNING":
        return error_response_json("CrawlerNotRunningException", f"Crawler {data['Name']} is not running", 400)
    crawler["State"] = "STOPPING"
    _runs[data["Name"]].stopped.set()
    return json_response({})


def _get_crawler_metrics(data: Any) -> Any:
    names = data.get("CrawlerNameList") or glue._crawlers.keys()
    metrics = []
    for name in names:
        crawler, run = glue._crawlers.get(name), _runs.get(name)
        if crawler is None:
            continue
        seconds = crawler.get("CrawlElapsedTime", 0) / 1000
        metrics.append(
            {
                "CrawlerName": name,
                "TimeLeftSeconds": 0.0,
                "StillEstimating": crawler["State"] == "RUNNING",
                "LastRuntimeSeconds": seconds,
                "MedianRuntimeSeconds": seconds,
                "TablesCreated": run.created if run else 0,
                "TablesUpdated": run.updated if run else 0,
                "TablesDeleted": 0,
            }
        )
    return json_response({"CrawlerMetricsList": metrics})


def _crawl(run: Run) -> None:
    crawler, started = run.crawler, time.time()
    last = {
        "LogGroup": "/aws-glue/crawlers",
        "LogStream": crawler["Name"],
        "MessagePrefix": new_uuid(),
        "StartTime": started,
    }
    try:
        _check_configuration(run)
        permissions.check_log(crawler)
        for target in crawler["Targets"].get("S3Targets") or []:
            _crawl_s3(run, target)
        for target in crawler["Targets"].get("CatalogTargets") or []:
            _crawl_catalog(run, target)
        last["Status"] = "CANCELLED" if run.stopped.is_set() else "SUCCEEDED"
    except Exception as error:
        log.exception("Crawler %s failed", crawler["Name"])
        last |= {"Status": "FAILED", "ErrorMessage": str(error)}
    crawler["State"] = "STOPPING"
    crawler["CrawlElapsedTime"] = int((time.time() - started) * 1000)
    crawler["LastCrawl"] = last
    crawler["State"] = "READY"
    state.mark("glue")


def _check_configuration(run: Run) -> None:
    others = [
        kind for kind, targets in run.crawler["Targets"].items() if targets and not kind.startswith(("S3", "Cat"))
    ]
    unknown = set(run.configuration) - {"Version", "CrawlerOutput", "Grouping"}
    if others or unknown:
        msg = f"The local AWS does not crawl {others}, nor know the configuration {sorted(unknown)}"
        raise ValueError(msg)
    if run.database not in glue._databases and run.crawler["Targets"].get("S3Targets"):
        msg = f"The crawler's database {run.database!r} does not exist"
        raise ValueError(msg)


def _crawl_s3(run: Run, target: Any) -> None:
    bucket, prefix = layout.split_path(target["Path"])
    permissions.check_bucket(run.crawler, bucket, prefix)
    objects = layout.select(_objects(bucket, prefix), prefix, target.get("Exclusions") or [])
    for folder in layout.folders(objects, prefix, run.table_level(prefix)):
        if run.stopped.is_set():
            return
        name = run.crawler.get("TablePrefix", "") + folder.name
        table = _put_table(run, name, folder)
        _put_partitions(run, {"DatabaseName": run.database, "TableName": name}, table, folder)


def _crawl_catalog(run: Run, target: Any) -> None:
    """An existing table: partitions are added where its folders are, its schema is left alone."""
    for name in target["Tables"]:
        request = {"DatabaseName": target["DatabaseName"], "TableName": name}
        table = local_glue.table_of(request)
        bucket, prefix = layout.split_path(table["StorageDescriptor"]["Location"])
        permissions.check_bucket(run.crawler, bucket, prefix)
        keys = tuple(key["Name"] for key in table.get("PartitionKeys") or [])
        objects = layout.select(_objects(bucket, prefix), prefix, target.get("Exclusions") or [])
        ours = [ref for ref in objects if _hive_keys(ref, prefix) == keys]
        if len(ours) < len(objects):
            text = "Crawler %s: %d of %d objects of %s are not in folders by %s: ignored"
            log.warning(text, run.crawler["Name"], len(objects) - len(ours), len(objects), name, keys)
        for folder in layout.folders(ours, prefix):
            _put_partitions(run, request, table, folder)


def _hive_keys(ref: layout.ObjectRef, prefix: str) -> tuple[str, ...]:
    return tuple(part.partition("=")[0].lower() for part in ref.key.removeprefix(prefix).split("/")[:-1])


def _objects(bucket: str, prefix: str) -> list[layout.ObjectRef]:
    found = s3._buckets.get(bucket)
    if found is None:
        msg = f"The bucket {bucket} does not exist"
        raise ValueError(msg)
    refs = [layout.ObjectRef(bucket, key, record["size"]) for key, record in list(found["objects"].items())]
    return [ref for ref in refs if ref.key.startswith(prefix)]


def _read(run: Run, ref: layout.ObjectRef) -> bytes:
    permissions.check_object(run.crawler, ref.bucket, ref.key)
    return bytes(s3._read_body(ref.bucket, ref.key, s3._buckets[ref.bucket]["objects"][ref.key]))


def _put_table(run: Run, name: str, folder: layout.Folder) -> Any:
    found = schema.infer(list(folder.objects), lambda ref: _read(run, ref))
    permissions.check_table(run.crawler, run.database, name, "GetDatabase", "GetTable")
    columns = {column: kind for column, kind in found.columns.items() if column not in folder.keys}
    existing = glue._tables.get(f"{run.database}/{name}")
    if existing is not None:
        _update_table(run, existing, columns, folder)
        return existing
    table = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in folder.keys],
        "Parameters": table_parameters(run.crawler["Name"], found, folder),
        "StorageDescriptor": storage_descriptor(folder.location, columns, found),
    }
    permissions.check_table(run.crawler, run.database, name, "CreateTable")
    glue._create_table({"DatabaseName": run.database, "TableInput": table})
    run.created += 1
    return glue._tables[f"{run.database}/{name}"]


def _update_table(run: Run, table: Any, columns: dict[str, str], folder: layout.Folder) -> None:
    before = {column["Name"]: column["Type"] for column in table["StorageDescriptor"].get("Columns") or []}
    keys = tuple(key["Name"] for key in table.get("PartitionKeys") or [])
    if keys != folder.keys:
        msg = f"The table {table['Name']} is partitioned by {keys}, its folders by {folder.keys}"
        raise ValueError(msg)
    after = {**columns, **before} if run.merges_columns else columns
    if after == before:
        return
    if not run.updates_tables:
        log.warning("Crawler %s: the schema of %s changed: %s", run.crawler["Name"], table["Name"], columns)
        return
    ordered = [*(name for name in before if name in after), *(name for name in after if name not in before)]
    descriptor = table["StorageDescriptor"] | {"Columns": [{"Name": name, "Type": after[name]} for name in ordered]}
    kept = ("Name", "Description", "Owner", "PartitionKeys", "TableType", "Parameters")
    update = {**{name: table[name] for name in kept}, "StorageDescriptor": descriptor}
    permissions.check_table(run.crawler, run.database, table["Name"], "UpdateTable")
    glue._update_table({"DatabaseName": run.database, "TableInput": update})
    run.updated += 1


def _put_partitions(run: Run, request: dict[str, str], table: Any, folder: layout.Folder) -> None:
    """Add what is new; with UPDATE_IN_DATABASE and without InheritFromTable, bring existing schemas up to the
    table's.
    """
    if not folder.keys:
        return
    behaviour = (run.output.get("Partitions") or {}).get("AddOrUpdateBehavior")
    refreshes = run.updates_tables and behaviour != "InheritFromTable"
    permissions.check_table(
        run.crawler, *request.values(), "GetPartitions", "BatchGetPartition", "BatchCreatePartition"
    )
    if refreshes:
        permissions.check_table(run.crawler, *request.values(), "BatchUpdatePartition")
    with local_glue.lock:
        partitions = local_glue.partitions_of(request)
        for values in folder.partitions:
            existing = partitions.get(values)
            if existing is None:
                descriptor = table["StorageDescriptor"] | {"Location": folder.partition_location(values)}
                entry = {
                    "Values": list(values),
                    "StorageDescriptor": descriptor,
                    "Parameters": dict(table["Parameters"]),
                }
                partitions[values] = local_glue.record(request, entry, int(time.time()))
            elif refreshes:
                columns = {"Columns": table["StorageDescriptor"]["Columns"]}
                partitions[values] = existing | {"StorageDescriptor": existing["StorageDescriptor"] | columns}
        local_glue.store(request, partitions)
