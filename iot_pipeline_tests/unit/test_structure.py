"""The structure: imports go in no circle, neither of modules nor of rooms (packages), and a name means one thing."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from iot_pipeline_tests.support.layers import CHECKOUT

TREES = ("iot_pipeline", "infra", "simulator")
# What a name says in each room that has a module of it; a name that is not here is one module's alone.
SHARED_NAMES = {
    "iot_pipeline": {
        "alerts": "alerts: the sensor that sends them, the resource that takes them, their commands, their history",
        "app": "the application that the commands of a command line belong to",
        "backfill": "opening the planner of backfills: as a connection, as a resource",
        "assets": "the Dagster assets of a domain",
        "bulk_import": "bulk imports: the package, opening one as a connection",
        "channels": "channels of alerts: the package, their commands",
        "contract": "the contract: the package and the class it is named after",
        "edge": "the edge: the package, its connection, its resource",
        "definitions": "the Dagster objects of a domain, and all of them",
        "environment": "what a function is told by its stack: the edge's, the intake's",
        "erasure": "erasing a device or a tenant: the package, its resource, its Dagster objects",
        "handler": "the functions that take batches of a stream: the edge's, the intake's",
        "history": "what Dagster has written of whoever is erased: as the eraser asks for it, and as Dagster has it",
        "holds": "legal holds: in the registry, and their commands",
        "devices": "devices: in the registry, their pages in the console",
        "docs": "generated documentation: the contract's tables, the models' pages",
        "jobs": "what a person starts in Dagster, of a domain",
        "lake": "the lake: the package, its class, its connection, its resource",
        "migrate": "bringing what an earlier release left up to date",
        "plan": "what is to be built: of event hours by what the ledger says, of a backfill by what a person asks",
        "registry": "the device registry",
        "routes": "the routes of the console's parts",
        "schedules": "what the clock starts, of a domain",
        "sensors": "what an event starts, of a domain",
        "spending": "what Athena costs a day: as it is added up, as a resource",
        "statements": "the SQL that is sent, as text",
        "streaming": "the streaming job: the package, its connection, its resource, its Dagster objects",
        "tables": "tables and their columns: of the lake, of the warehouse",
        "users": "database users and what they may do",
        "versions": "versions of a row: of a device or site, of the schema",
        "warehouse": "the warehouse",
    },
    "infra": {
        "alarms": "alarms on functions and what calls them: of the edge, of the producers' intake",
        "show": "the SHOW statements: of Athena, of Redshift",
        "console": "the console: its stack, its process beside the local AWS, what that calls under its role",
        "data_stack": "what outlives everything else: of the edge, of the console",
        "config": "what is configured: of an environment, of the local Athena",
        "delivery": "what is delivered: records by Firehose, releases by a pipeline",
        "dialect": "one engine's SQL in, another's out",
        "functions": "functions: those of the edge, of an engine's SQL, what Lambda calls under their roles",
        "lambdas": "Lambda functions: their code, and reading them back",
        "limits": "the documented limits of a service: of AWS IoT Core, of Kinesis",
        "nodes": "nodes: of Redshift's clusters, of a statement's tree",
        "permissions": "the statements of roles: of Dagster's tasks, of the console",
        "places": "what functions and services work on: the edge's, the services', what calls are on",
        "process": "starting and stopping one server of the local AWS",
        "protocol": "the rules of a wire: of PostgreSQL's, of MQTT's",
        "queries": "queries on Athena: the stack for them, the executions of them",
        "reading": "what is read: files for Athena, records of a stream",
        "redshift": "Redshift: on AWS, and the local one",
        "roles": "roles: of the edge's functions, of Dagster's processes",
        "rules": "IoT rules: as a stack has them, as the emulator runs them",
        "run": "carrying out what a command asks for: the demo, the drill",
        "server": "the socket of one server of the local AWS",
        "service_stack": "what services need of a part: of the network, of the console",
        "shortcuts": "rewritings that make some statements faster, and what they gain",
        "sign_in": "signing in: to Dagster's pages, reading back the console's pool",
        "sql": "the SQL of an engine",
        "stack": "one stack of the platform",
        "stacks": "stacks: those of the platform, and deploying them",
        "tables": "tables: those of the edge's stack, and Redshift's",
        "warehouse": "the warehouse: its stack, losing and restoring it",
        "workgroups": "Athena's workgroups",
        "writing": "what is written: tables by Athena, records of a stream",
    },
    "simulator": {},
}


def _modules(tree: str) -> dict[str, Path]:
    paths = (path for path in (CHECKOUT / tree).rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(CHECKOUT).with_suffix("").parts): path for path in paths}


MODULES = {name: path for tree in TREES for name, path in _modules(tree).items()}


def _is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if _is_for_types_only(child):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            names = [f"{child.module}.{alias.name}" for alias in child.names]
            yield from (name if name in MODULES else child.module for name in names)
        yield from _imports(child)


GRAPH = {
    name: {found for found in _imports(ast.parse(path.read_text(encoding="utf-8"))) if found in MODULES} - {name}
    for name, path in MODULES.items()
}


def _circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def _room(module: str, depth: int) -> str:
    """The package that a module is in, by its first parts; a command line is a room of its own, above the others."""
    parts = module.split(".")
    return module if parts[-1] == "__main__" else ".".join(parts[:-1][:depth])


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert _circle(GRAPH) == []


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_no_rooms_import_each_other_in_a_circle(depth: int) -> None:
    rooms: dict[str, set[str]] = {}
    for module, imported in GRAPH.items():
        here = _room(module, depth)
        there = {_room(name, depth) for name in imported}
        # A package and the packages within it are one house: the circles that count are those between neighbours.
        apart = {room for room in there if not f"{room}.".startswith(f"{here}.") and not here.startswith(f"{room}.")}
        rooms.setdefault(here, set()).update(apart)
    assert _circle(rooms) == []


def test_every_file_of_the_local_aws_is_in_a_room() -> None:
    assert {path.name for path in (CHECKOUT / "infra" / "local").glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("tree", TREES)
def test_modules_of_one_name_mean_one_thing(tree: str) -> None:
    names = [name.rpartition(".")[2] for name in MODULES if name.startswith(f"{tree}.")]
    packages = {path.parent for name, path in MODULES.items() if name.startswith(f"{tree}.")}
    names += [package.name for package in packages if package != CHECKOUT / tree]
    twice = {name for name in names if names.count(name) > 1} - {"__main__"}
    assert twice == set(SHARED_NAMES[tree])
