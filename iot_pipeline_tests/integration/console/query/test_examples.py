"""The examples of docs/console.md run as they stand."""

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import uvicorn

from infra.local.servers.loopback import free_port
from iot_pipeline_tests.support.athena import LocalAthena
from iot_pipeline_tests.support.layers import CHECKOUT
from iot_pipeline_tests.support.query_api import TENANT, open_api


@pytest.fixture
def address(two_tenants: LocalAthena) -> Iterator[str]:
    """The console, served over HTTP to a tenant's user."""
    api = open_api(two_tenants)
    api.identity.known = TENANT
    port = free_port()
    # Without its lifespan: no stream is read here.
    config = uvicorn.Config(api.client.app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_the_examples_of_the_documentation_run(address: str, tmp_path: Path) -> None:
    text = (CHECKOUT / "docs" / "console.md").read_text(encoding="utf-8").partition("## Query API")[2]
    (script,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    reachable = 'until curl --silent --output /dev/null "$CONSOLE/healthz"; do sleep 0.05; done\n'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", reachable + script],
        env=os.environ | {"CONSOLE": address, "KEY": "unused-here"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCEEDED" in done.stdout
    assert "\"restricted_by\":\"(year = '2026') AND (month = '11')\"" in done.stdout
    assert (tmp_path / "result.csv").read_text().splitlines()[0] == '"site","mean"'
    assert pq.read_table(tmp_path / "result.parquet").column_names == ["site", "mean"]
