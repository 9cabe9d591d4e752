"""Dagster's webserver as the product starts it: pages of other sites neither run anything by it nor read from it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from infra.local.session.dagster_processes import Webserver, webserver

JOBS = """
import dagster as dg

@dg.schedule(cron_schedule="0 0 1 1 *", job_name="job", default_status=dg.DefaultScheduleStatus.STOPPED)
def yearly(): return dg.RunRequest()

@dg.op
def nothing(): ...

@dg.job
def job(): nothing()

defs = dg.Definitions(jobs=[job], schedules=[yearly])
"""
STATE = '{ schedulesOrError(repositorySelector: {repositoryLocationName: "jobs.py", repositoryName: \
"__repository__"}) { ... on Schedules { results { name scheduleState { status } } } } }'
START = """mutation { startSchedule(scheduleSelector: {repositoryLocationName: "jobs.py", repositoryName:
"__repository__", scheduleName: "yearly"}) { __typename } }"""
EVIL = {"Origin": "https://evil.example"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    home = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    (home / "jobs.py").write_text(JOBS)
    with webserver(home, {}, ["-f", "jobs.py"]) as running:
        yield running


def is_running(served: Webserver) -> bool:
    (schedule,) = served.graphql(STATE)["schedulesOrError"]["results"]
    return bool(schedule["scheduleState"]["status"] == "RUNNING")


def test_no_page_of_another_site_starts_a_schedule(served: Webserver) -> None:
    form = f"{served.url}/graphql?query={quote(START)}"
    answers = [
        httpx.get(form, headers={"Accept": "image/*"}),
        httpx.get(form, headers={"Accept": "image/*", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
        httpx.post(form, headers=EVIL),
        httpx.post(form, headers=EVIL | {"Content-Type": "text/plain"}, content=b"x=y"),
        httpx.post(f"{served.url}/graphql", headers={"Host": "evil.example"}, json={"query": START}),
        httpx.post(f"{served.url}/report_asset_materialization/raw", headers=EVIL),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers), [answer.text for answer in answers]
    assert not is_running(served)
    served.graphql(START)
    assert is_running(served), "the same mutation, sent by a program, does what it says"


def test_no_page_of_another_site_opens_the_websocket(served: Webserver) -> None:
    address = f"{served.url.replace('http', 'ws')}/graphql"

    async def acknowledged(origin: str) -> str:
        async with connect(address, origin=Origin(origin), subprotocols=[Subprotocol("graphql-ws")]) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            return str(json.loads(await socket.recv())["type"])

    assert asyncio.run(acknowledged(served.url)) == "connection_ack"
    with pytest.raises(InvalidStatus, match="403"):
        asyncio.run(acknowledged("https://evil.example"))


def test_its_own_page_is_shown(served: Webserver) -> None:
    page = httpx.get(f"{served.url}/locations", headers={"Accept": "text/html", "Sec-Fetch-Site": "none"})
    assert page.status_code == 200
    assert Path(page.url.path).name == "locations"
    assert "<html" in page.text
