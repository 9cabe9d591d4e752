"""Puts our extensions into ministack, in the process that is about to serve it."""

import importlib.metadata
import json
import os
from typing import Any

from infra.local.emulator.settings import EmulatorSettings

MINISTACK_VERSION = "1.5.33"


class WrongMinistackVersionError(RuntimeError):
    """The installed ministack is not the one whose private functions the extensions replace."""


def check_ministack_version() -> None:
    """Raise WrongMinistackVersionError unless the installed ministack is the one the extensions were written for."""
    found = importlib.metadata.version("ministack")
    if found != MINISTACK_VERSION:
        msg = (
            f"The local AWS needs ministack {MINISTACK_VERSION}, but {found} is installed: its extensions replace "
            f"private functions of exactly that version. Install it with: pip install 'ministack=={MINISTACK_VERSION}'"
        )
        raise WrongMinistackVersionError(msg)


def install_extensions(settings: EmulatorSettings) -> None:
    """Replace what stock ministack lacks or gets wrong. Call once, after ministack's environment is set."""
    check_ministack_version()
    from infra.local.emulator import (
        access,
        dynamodb,
        event_rules,
        index_scan,
        kinesis,
        log_lines,
        metric_math,
        s3,
        service_models,
        sns,
        sqs,
        state,
        stream_consumers,
        transport,
    )
    from infra.local.emulator.authorisation import on_behalf, requests
    from infra.local.emulator.event_source import mapping
    from infra.local.emulator.firehose import delivery
    from infra.local.emulator.functions import asynchronous, environment, telemetry
    from infra.local.emulator.glue import crawler, job_runs, partitions, tables_as_aws
    from infra.local.emulator.iot import broker, fleet_provisioning, policy_variables, rules
    from infra.local.emulator.redshift_data import data_api

    access.install()
    on_behalf.install()
    requests.install()
    transport.install()
    s3.install()
    service_models.install()
    kinesis.install(settings)
    log_lines.install(settings.logs_dir)
    stream_consumers.install()
    dynamodb.install()
    index_scan.install()
    metric_math.install()
    sns.install()
    sqs.install()
    delivery.install(settings)
    rules.install()
    policy_variables.install()
    broker.install(settings)
    fleet_provisioning.install()
    environment.install()
    telemetry.install()
    asynchronous.install(settings)
    event_rules.install()
    mapping.install(settings)
    partitions.install()
    crawler.install()
    job_runs.install()
    data_api.install(settings)
    tables_as_aws.install()
    state.install()
    _report_readiness()


def _report_readiness() -> None:
    from ministack import app

    stock = app._handle_ready_request

    def handle_ready_request(path: str, request_id: str) -> Any:
        response = stock(path, request_id)
        if response is None:
            return None
        status, headers, body = response
        document = json.loads(body) | {"extensions": MINISTACK_VERSION, "pid": os.getpid()}
        return status, headers, json.dumps(document).encode()

    app._handle_ready_request = handle_ready_request
