"""CREATE DATABASE, DROP DATABASE and ALTER DATABASE (AWS Athena user guide, pages of those names)."""

import re
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.errors import QueryError
from infra.local.athena.writing.ddl_result import FLAGS, DdlResult, Handlers, Scope, glue_error
from infra.local.athena.writing.hive_text import DATABASE, TEXT, database_name, pairs, text_value


def create_database(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Make the database in Glue; one that exists is an error unless IF NOT EXISTS says otherwise."""
    described: dict[str, Any] = {"Name": database_name(match["database"])}
    if match["comment"]:
        described["Description"] = text_value(match["comment"])
    if match["location"]:
        described["LocationUri"] = text_value(match["location"])
    if match["body"]:
        described["Parameters"] = pairs(match["body"])
    try:
        scope.catalog.glue.create_database(DatabaseInput=described)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException" or not match["guard"]:
            raise glue_error(error) from error
    return DdlResult()


def drop_database(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Remove the database; with tables in it only by CASCADE."""
    name = database_name(match["database"])
    try:
        scope.catalog.glue.get_database(Name=name)
    except ClientError as error:
        if match["guard"]:
            return DdlResult()
        raise QueryError(f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}") from error
    if next(scope.catalog.tables(name), None) and not match["cascade"]:
        raise QueryError(
            f"FAILED: Execution Error, return code 1. InvalidOperationException(message:Database {name} is not "
            "empty. One or more tables exist.)"
        )
    scope.catalog.glue.delete_database(Name=name)
    return DdlResult()


def set_properties(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Add properties to the database's."""
    name = database_name(match["database"])
    try:
        found = scope.catalog.glue.get_database(Name=name)["Database"]
    except ClientError as error:
        raise QueryError(f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}") from error
    kept = {key: found[key] for key in ("Name", "Description", "LocationUri") if key in found}
    kept["Parameters"] = {**found.get("Parameters", {}), **pairs(match["body"])}
    scope.catalog.glue.update_database(Name=name, DatabaseInput=kept)
    return DdlResult()


HANDLERS: Handlers = [
    (
        re.compile(
            rf"create\s+(?:database|schema)\s+(?P<guard>if\s+not\s+exists\s+)?{DATABASE}"
            rf"(?:\s+comment\s+(?P<comment>{TEXT}))?(?:\s+location\s+(?P<location>{TEXT}))?"
            r"(?:\s+with\s+dbproperties\s*\((?P<body>.*)\))?\s*$",
            FLAGS,
        ),
        create_database,
    ),
    (
        re.compile(
            rf"drop\s+(?:database|schema)\s+(?P<guard>if\s+exists\s+)?{DATABASE}"
            r"(?:\s+(?P<cascade>cascade)|\s+restrict)?\s*$",
            FLAGS,
        ),
        drop_database,
    ),
    (
        re.compile(rf"alter\s+(?:database|schema)\s+{DATABASE}\s+set\s+dbproperties\s*\((?P<body>.*)\)\s*$", FLAGS),
        set_properties,
    ),
]
