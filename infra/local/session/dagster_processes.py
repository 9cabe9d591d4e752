"""Dagster's webserver and daemon as processes of their own, on a home and with definitions of the caller's choice."""

import json
import os
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError, LocalServer, answers, launch
from infra.local.servers.loopback import HOST, free_port

_AUTOMATION = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
    sensors { name sensorState { id status } } schedules { name scheduleState { id status } } } } } }"""
_STOP_SENSOR = """mutation($id: String!) { stopSensor(id: $id) {
    __typename ... on StopSensorMutationResult { instigationState { status } } } }"""
_STOP_SCHEDULE = """mutation($id: String!) { stopRunningSchedule(id: $id) {
    __typename ... on ScheduleStateResult { scheduleState { status } } } }"""


@dataclass(frozen=True)
class Webserver:
    """A running `dagster-webserver`."""

    url: str
    pid: int

    def graphql(self, query: str, **variables: Any) -> Any:
        """The data that the webserver answers. Raises LocalError with what it says if the query fails."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/graphql", body, headers)  # noqa: S310  # our own loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # our own loopback
            said = json.load(answer)
        if errors := said.get("errors"):
            raise LocalError(f"Dagster's webserver does not answer a query: {errors}")
        return said["data"]

    def stop_automation(self) -> int:
        """Turn all sensors and schedules off, as a person does by their switches; how many there are.

        Raises LocalError if one is on after that.
        """
        (repository,) = self.graphql(_AUTOMATION)["repositoriesOrError"]["nodes"]
        sensors = [sensor["sensorState"]["id"] for sensor in repository["sensors"]]
        schedules = [schedule["scheduleState"]["id"] for schedule in repository["schedules"]]
        for state in sensors:
            stopped = self.graphql(_STOP_SENSOR, id=state)["stopSensor"]
            _require_stopped(stopped, "instigationState")
        for state in schedules:
            stopped = self.graphql(_STOP_SCHEDULE, id=state)["stopRunningSchedule"]
            _require_stopped(stopped, "scheduleState")
        return len(sensors) + len(schedules)


def _require_stopped(answer: Any, state: str) -> None:
    if answer.get(state, {}).get("status") != "STOPPED":
        raise LocalError(f"a sensor or schedule is not turned off: {answer}")


@contextmanager
def webserver(home: Path, environment: Mapping[str, str], definitions: Sequence[str]) -> Iterator[Webserver]:
    """A webserver over the instance in `home`, which shows `definitions` (options such as -w or -m), until the end."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    options = ["-m", "iot_pipeline.webserver", "-h", HOST, "-p", str(port), *definitions]
    with _process("dagster-webserver", [sys.executable, *options], home, environment) as server:
        server.wait_until(lambda: answers(f"{url}/server_info"))
        yield Webserver(url, server.pid)


@contextmanager
def daemon(home: Path, environment: Mapping[str, str], definitions: Sequence[str]) -> Iterator[None]:
    """A daemon over the instance in `home`, until the end."""
    command = [str(Path(sys.executable).with_name("dagster-daemon")), "run", *definitions]
    with _process("dagster-daemon", command, home, environment):
        yield


@contextmanager
def _process(name: str, command: Sequence[str], home: Path, environment: Mapping[str, str]) -> Iterator[LocalServer]:
    """One of Dagster's commands, in its home, where no `.env` of the checkout is read."""
    own = {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(CHECKOUT), "DAGSTER_HOME": str(home)}
    log_file = home / f"{name}.log"
    with ExitStack() as stack:
        server = LocalServer(name, launch(command, log_file, home, {**os.environ, **environment, **own}), log_file)
        stack.callback(server.stop)
        yield server
