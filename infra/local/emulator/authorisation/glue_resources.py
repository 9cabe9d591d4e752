"""The resources on which a call of Glue is evaluated: each of them has to be allowed.

Service authorization reference, "Actions, resources, and condition keys for AWS Glue"; Glue developer guide,
"Specifying AWS Glue resource ARNs": a call on a table needs its action on catalog, database and table. Stock ministack
names one resource, and takes a database's or a crawler's name for a table's.
"""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region

_CRAWLER = "Crawler"
_OF_ALL_TABLES = {"GetTables", "SearchTables"}


def glue_resources(action: str, body: bytes, otherwise: str) -> list[str]:
    """The ARNs of a call, from its body; `otherwise` where it is on none of the kinds that are known here."""
    operation = action.partition(":")[2]
    asked: dict[str, Any] = json.loads(body or b"{}")
    scope = f"arn:aws:glue:{get_region()}:{get_account_id()}"
    if operation.endswith(_CRAWLER):
        return [f"{scope}:crawler/{asked.get('Name') or asked.get('CrawlerName')}"]
    if operation.endswith("Databases"):
        return [f"{scope}:catalog", f"{scope}:database/*"]
    if operation.endswith("Database"):
        named = asked.get("Name") or (asked.get("DatabaseInput") or {}).get("Name")
        return [f"{scope}:catalog", f"{scope}:database/{named}"]
    database = asked.get("DatabaseName")
    if not database:
        return [otherwise]
    tables = [f"{scope}:table/{database}/{name}" for name in _tables(operation, asked)]
    return [f"{scope}:catalog", f"{scope}:database/{database}", *tables]


def _tables(operation: str, asked: dict[str, Any]) -> list[str]:
    if operation in _OF_ALL_TABLES:
        return ["*"]
    if "TablesToDelete" in asked:
        return list(asked["TablesToDelete"])
    name = asked.get("TableName") or (asked.get("TableInput") or {}).get("Name") or asked.get("Name")
    return [name] if name else []
