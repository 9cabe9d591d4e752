"""Tenants, customers, sites and device models: applying a catalog, as often as you like, and the history of sites."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Placeholder

from iot_pipeline.registry import timeline, versions
from iot_pipeline.registry.catalog_file import Catalog, Customer, Model, Site
from iot_pipeline.registry.errors import OverwriteError, RegistryError, UnknownReferenceError
from iot_pipeline.registry.timeline import Value, Version
from iot_pipeline.registry.versions import SITES, MayOverwrite


def apply(
    connection: Connection[Any],
    catalog: Catalog,
    at: datetime | None = None,
    may_overwrite: MayOverwrite = versions.nothing,
) -> dict[str, int]:
    """Create or change what the catalog names, all or nothing; returns how many entries were new or changed, by kind.

    Nothing is removed. Sites have a history: a site that differs gets a new version at `at` (aware; now by default);
    tenants, customers and models are overwritten. Raises UnknownReferenceError for an entry whose tenant or customer
    does not exist, OverwriteError naming every change of a site on record that would be lost and that `may_overwrite`
    does not give away.
    """
    with connection.transaction():
        at = versions.moment(connection, at)
        tenants = [_upsert(connection, "tenants", "tenant_id", tenant.model_dump()) for tenant in catalog.tenants]
        customers = [_customer(connection, customer) for customer in catalog.customers]
        sites = _sites(connection, catalog.sites, at, may_overwrite)
        models = [_model(connection, model) for model in catalog.models]
    return {"tenants": sum(tenants), "customers": sum(customers), "sites": sum(sites), "models": sum(models)}


def change_site(
    connection: Connection[Any],
    tenant_id: str,
    site_id: str,
    changes: Mapping[str, Value],
    at: datetime | None = None,
    may_overwrite: MayOverwrite = versions.nothing,
) -> Version:
    """Record that attributes of a site (customer_id, name, country, timezone, lat, lon) are others since `at`.

    A time in the past corrects the history as `timeline` says. Returns the version of that moment. Raises
    UnknownReferenceError for an unknown site, OverwriteError as `apply`, RegistryError for an unknown attribute or a
    time before the site's first version or in the future.
    """
    if unknown := sorted(changes.keys() - set(SITES.attributes)):
        raise RegistryError(f"a site has no {', '.join(unknown)}; it has {', '.join(SITES.attributes)}")
    key = {"tenant_id": tenant_id, "site_id": site_id}
    with connection.transaction():
        at = versions.moment(connection, at)
        old = versions.read(connection, SITES, key, lock=True)
        if not old:
            raise UnknownReferenceError(
                f"site {site_id!r} of tenant {tenant_id} is not in the registry; apply it first"
            )
        new = timeline.changed(old, at, changes)
        versions.write(connection, SITES, key, old, new, may_overwrite)
    return next(version for version in reversed(new) if version.valid_from <= at)


def _customer(connection: Connection[Any], customer: Customer) -> bool:
    require_tenant(connection, customer.tenant_id, f"customer {customer.customer_id}")
    held = connection.execute(
        "SELECT tenant_id FROM registry.customers WHERE customer_id = %s", (customer.customer_id,)
    ).fetchone()
    if held and held[0] != customer.tenant_id:
        raise RegistryError(f"customer {customer.customer_id} is of tenant {held[0]}, not {customer.tenant_id}")
    return _upsert(connection, "customers", "customer_id", customer.model_dump())


def _sites(connection: Connection[Any], sites: Sequence[Site], at: datetime, may_overwrite: MayOverwrite) -> list[bool]:
    written: list[bool] = []
    losses: list[tuple[str, object]] = []
    for site in sites:
        try:
            written.append(_site(connection, site, at, may_overwrite))
        except OverwriteError as error:
            losses += error.losses
    if losses:
        raise OverwriteError(losses)
    return written


def _site(connection: Connection[Any], site: Site, at: datetime, may_overwrite: MayOverwrite) -> bool:
    what = f"site {site.site_id} of tenant {site.tenant_id}"
    require_tenant(connection, site.tenant_id, what)
    if site.customer_id is not None:
        owned = "SELECT 1 FROM registry.customers WHERE (tenant_id, customer_id) = (%s, %s)"
        if not connection.execute(owned, (site.tenant_id, site.customer_id)).fetchone():
            raise UnknownReferenceError(
                f"{what}: no customer {site.customer_id!r} of that tenant; add it to the catalog"
            )
    key = {"tenant_id": site.tenant_id, "site_id": site.site_id}
    attributes = site.model_dump(include=set(SITES.attributes))
    connection.execute(
        "INSERT INTO registry.site_keys (tenant_id, site_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (site.tenant_id, site.site_id),
    )
    old = versions.read(connection, SITES, key, lock=True)
    if old:
        new = timeline.changed(old, at, attributes)
    else:
        new = [Version(versions.moment(connection, site.since) if site.since else at, None, attributes)]
    return versions.write(connection, SITES, key, old, new, may_overwrite)


def _model(connection: Connection[Any], model: Model) -> bool:
    changed = _upsert(connection, "device_models", "model_id", model.model_dump(exclude={"metrics"}))
    rows = connection.execute("SELECT metric FROM registry.model_metrics WHERE model_id = %s", (model.model_id,))
    held = {metric for (metric,) in rows}
    if held == set(model.metrics):
        return changed
    connection.execute("DELETE FROM registry.model_metrics WHERE model_id = %s", (model.model_id,))
    connection.cursor().executemany(
        "INSERT INTO registry.model_metrics (model_id, metric) VALUES (%s, %s)",
        [(model.model_id, metric) for metric in dict.fromkeys(model.metrics)],
    )
    return True


def _upsert(connection: Connection[Any], table: str, key: str, row: dict[str, Any]) -> bool:
    """Write a row unless the same is there already; whether it was written."""
    others = [column for column in row if column != key]
    columns = SQL(", ").join(map(Identifier, others))
    statement = SQL(
        "INSERT INTO {table} AS t ({all}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW({new})"
        " WHERE ({held}) IS DISTINCT FROM ({new})"
    ).format(
        table=Identifier("registry", table),
        all=SQL(", ").join(map(Identifier, row)),
        values=SQL(", ").join(map(Placeholder, row)),
        key=Identifier(key),
        columns=columns,
        held=SQL(", ").join(Identifier("t", column) for column in others),
        new=SQL(", ").join(Identifier("excluded", column) for column in others),
    )
    return connection.execute(statement, row).rowcount == 1


def require_tenant(connection: Connection[Any], tenant_id: str, what: str) -> None:
    """Raises UnknownReferenceError, naming `what` refers to it, unless a tenant is in the registry."""
    if not connection.execute("SELECT 1 FROM registry.tenants WHERE tenant_id = %s", (tenant_id,)).fetchone():
        raise UnknownReferenceError(f"{what}: tenant {tenant_id!r} is not in the registry; add it to the catalog")
