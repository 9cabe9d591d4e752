"""Glue and Athena."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting
from infra.local.deploy.resources import Resource


def database(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Glue::Database."""
    asked = resource.properties

    def read() -> Any:
        return clients.glue.get_database(Name=resource.physical_id)["Database"]

    yield Setting("CatalogId", asked["CatalogId"], lambda: read().get("CatalogId"))
    yield Setting("DatabaseInput", asked["DatabaseInput"], read, needed=True)


def table(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Glue::Table: columns, SerDe, partition keys and projection decide what a query finds."""
    asked = resource.properties

    def read() -> Any:
        return clients.glue.get_table(DatabaseName=asked["DatabaseName"], Name=resource.physical_id)["Table"]

    yield Setting("CatalogId", asked["CatalogId"], lambda: read().get("CatalogId"))
    yield Setting("DatabaseName", asked["DatabaseName"], lambda: read()["DatabaseName"], needed=True)
    yield Setting("TableInput", asked["TableInput"], read, needed=True)


def crawler(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Glue::Crawler: its properties are the API's fields by the same names."""

    def read() -> Any:
        return clients.glue.get_crawler(Name=resource.physical_id)["Crawler"]

    def field(name: str) -> Any:
        return read().get(name)

    for name, value in resource.properties.items():
        needed = name in ("Name", "Targets", "DatabaseName")
        if name == "Role":
            # Glue answers the name where it was given the ARN.
            yield Setting(name, value.rsplit("/")[-1], lambda: read()["Role"].rsplit("/")[-1])
        else:
            yield Setting(name, value, partial(field, name), needed=needed)


def job(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Glue::Job: its properties are the API's fields by the same names."""

    def field(name: str) -> Any:
        return clients.glue.get_job(JobName=resource.physical_id)["Job"].get(name)

    for name, value in resource.properties.items():
        yield Setting(name, value, partial(field, name), needed=name in ("Name", "Role", "Command"))


def workgroup(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::Athena::WorkGroup."""
    asked = resource.properties

    def read() -> Any:
        return clients.athena.get_work_group(WorkGroup=resource.physical_id)["WorkGroup"]

    yield Setting("Name", asked["Name"], lambda: read()["Name"], needed=True)
    yield Setting("Description", asked.get("Description", ""), lambda: read().get("Description", ""))
    yield Setting(
        "WorkGroupConfiguration", asked["WorkGroupConfiguration"], lambda: read()["Configuration"], needed=True
    )
