"""The registry's database and its IoT Core, and for each test a tenant of its own."""

import json
import multiprocessing
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.sites import apply
from iot_pipeline.registry.things import POLICY, THING_TYPE
from iot_pipeline_tests.support.emulator import DEVICE_POLICY, LocalAws, unique
from iot_pipeline_tests.support.registry import Connection, World, catalog


@pytest.fixture
def connection(registry_dsn: str) -> Iterator[Connection]:
    """A connection to it."""
    with psycopg.connect(registry_dsn) as connection:
        yield connection


@pytest.fixture
def world(connection: Connection) -> World:
    """What devices need, with names no other test uses."""
    tenant = unique("tenant")
    apply(connection, catalog(tenant))
    return World(tenant, f"{tenant}-model")


@pytest.fixture(scope="session")
def iot(local_aws: LocalAws) -> Any:
    """The local AWS IoT Core, with the thing type and the policy that the platform's stacks deploy."""
    client = local_aws.client("iot")
    try:
        client.describe_thing_type(thingTypeName=THING_TYPE)
    except client.exceptions.ResourceNotFoundException:
        client.create_thing_type(thingTypeName=THING_TYPE)
        client.create_policy(policyName=POLICY, policyDocument=json.dumps(DEVICE_POLICY))
    return client


@pytest.fixture
def iot_options(local_aws: LocalAws) -> dict[str, str]:
    """The keywords with which another process makes the same client."""
    return local_aws.emulator.client_options


@pytest.fixture(scope="session")
def forks() -> Any:
    """Processes that start in milliseconds, with everything imported, and share nothing with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["iot_pipeline_tests.support.tripping"])
    return context


@pytest.fixture
def factory_device(iot: Any, world: World) -> Request:
    """A device that provisioned itself by claim: thing, active certificate, policy."""
    request = world.request()
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.create_thing(thingName=request.device_id, attributePayload={"attributes": {"batch": "7"}})
    iot.attach_policy(policyName=POLICY, target=made["certificateArn"])
    iot.attach_thing_principal(thingName=request.device_id, principal=made["certificateArn"])
    return request
