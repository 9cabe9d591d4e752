"""The catalog file: tenants, customers, sites and device models, as YAML or JSON."""

from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from iot_pipeline.contract import CONTRACT
from iot_pipeline.registry.devices import MAX_BYTES
from iot_pipeline.registry.errors import RegistryError


def _fits(text: str) -> str:
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"is longer than {MAX_BYTES} bytes of UTF-8")
    return text


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no IANA time zone; write it as Europe/Berlin")
    return name


def _country(code: object) -> object:
    if code is False:
        raise ValueError('YAML reads NO as false; write it as "NO"')
    return code


def _metric(name: str) -> str:
    if name not in (known := [metric.name for metric in CONTRACT.metrics]):
        raise ValueError(f"is no metric of the contract: {', '.join(known)}")
    return name


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]
Label = Annotated[str, StringConstraints(min_length=1), AfterValidator(_fits)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tenant(_Entry):
    """Who rents the platform."""

    tenant_id: Id
    name: Label
    plan: Label = "standard"


class Customer(_Entry):
    """A customer of a tenant."""

    customer_id: Id
    tenant_id: Id
    name: Label


class Site(_Entry):
    """A place where devices stand; `country` is its ISO 3166 code.

    `since` counts for a new site only: when its history begins (default: now).
    """

    tenant_id: Id
    site_id: Id
    customer_id: Id | None = None
    name: Label
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), BeforeValidator(_country)]
    timezone: Annotated[Label, AfterValidator(_zone)]
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    since: AwareDatetime | None = None


class Model(_Entry):
    """A type of device: what it measures and how often it should send a reading, in seconds."""

    model_id: Id
    manufacturer: Label
    name: Label
    metrics: tuple[Annotated[str, AfterValidator(_metric)], ...] = Field(min_length=1)
    expected_interval_s: float = Field(gt=0)


class Catalog(_Entry):
    """All there is to know before a device can be onboarded; each part may be left out."""

    tenants: tuple[Tenant, ...] = ()
    customers: tuple[Customer, ...] = ()
    sites: tuple[Site, ...] = ()
    models: tuple[Model, ...] = ()


def read_catalog(path: Path) -> Catalog:
    """Read a catalog file. Raises RegistryError naming the entry and field that is wrong, and OSError."""
    try:
        return Catalog.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise RegistryError(f"{path} is neither YAML nor JSON: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in error.errors())
        raise RegistryError(f"{path}: {wrong}") from error
