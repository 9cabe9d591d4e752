"""What `make up` keeps for as long as it is up, and what it leaves."""

import subprocess
import sys
from pathlib import Path

import psutil

from infra.local.servers.patience import wait_while_it_moves
from infra.local.session.up import _stop


def test_the_cdk_is_not_kept_whose_node_takes_hundreds_of_megabytes() -> None:
    code = "import sys, infra.local.session.up; print('jsii' in sys.modules or 'aws_cdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-Wignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_socket_of_dagsters_definitions_goes_with_their_process(tmp_path: Path) -> None:
    socket = tmp_path / "socket"
    command = [sys.executable, "-m", "dagster", "api", "grpc", "--lazy-load-user-code", "--socket", str(socket)]
    code = "import signal, subprocess, sys; subprocess.Popen(sys.argv[1:]); signal.pause()"
    server = subprocess.Popen([sys.executable, "-c", code, *command, "-m", "iot_pipeline.definitions"])
    wait_while_it_moves("the definitions' socket", socket.exists, bool)
    (definitions,) = psutil.Process(server.pid).children()
    _stop([server])
    assert not definitions.is_running()
    assert not socket.exists()
