"""Dagster in `make up`, as it stands on AWS: a code server, and a webserver and a daemon that both ask it.

`dagster dev` starts the same three, with a webserver that obeys other sites' pages (iot_pipeline/webserver.py).
"""

import json
import os
import socket
import sys
from pathlib import Path

from infra.local.servers.local_server import LocalServer, answers, launch
from infra.local.servers.loopback import HOST, free_port
from infra.local.session.platform import Platform
from iot_pipeline.settings import Deployment, variable

# Building the open hour costs little here, and a person waits for it.
BUILD_INTERVAL_MINUTES = "2"
# The name under which Dagster keeps the state of sensors and schedules: workspace.yaml has it too.
_LOCATION = "iot_pipeline"


def start_dagster(platform: Platform, url: str) -> list[LocalServer]:
    """The webserver at an address of this machine, ready to be asked, and what it needs; the one to be ended first
    comes first. Raises LocalError if one of them ends before.
    """
    port = free_port()
    code = ["code-server", "start", "-m", "iot_pipeline.definitions", "--location-name", _LOCATION]
    definitions = _launched(platform, url, "dagster-code", _program("dagster"), *code, "-h", HOST, "-p", str(port))
    # It listens when it has loaded the definitions.
    definitions.start(lambda: _listens(port))
    workspace = ("-w", str(_workspace(platform, port)))
    daemon = _launched(platform, url, "dagster-daemon", _program("dagster-daemon"), "run", *workspace)
    options = ("-h", HOST, "-p", url.rpartition(":")[2], *workspace)
    webserver = _launched(platform, url, "dagster", sys.executable, "-m", "iot_pipeline.webserver", *options)
    try:
        webserver.wait_until(lambda: answers(f"{url}/server_info"))
    except BaseException:
        for server in (webserver, daemon, definitions):
            server.stop()
        raise
    return [webserver, daemon, definitions]


def _workspace(platform: Platform, port: int) -> Path:
    server = {"host": HOST, "port": port, "location_name": _LOCATION}
    file = platform.state_dir / "workspace.yaml"
    file.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))  # JSON is YAML too
    return file


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _launched(platform: Platform, url: str, log: str, *command: str) -> LocalServer:
    """In the state's folder: Dagster puts what a `.env` of its folder says above its environment, even another AWS."""
    own = {
        "PYTHONWARNINGS": "ignore",
        "IOT_BUILD_INTERVAL_MINUTES": BUILD_INTERVAL_MINUTES,
        variable(Deployment, "dagster_url"): url,
    }
    log_file = platform.state_dir / f"{log}.log"
    return LocalServer("Dagster", launch(command, log_file, platform.state_dir, own | os.environ), log_file)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
