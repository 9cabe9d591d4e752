"""`make demo SIZE=prototype`, as a person would run it: from TLS handshakes by the rules to S3, and exact books."""

import os
import re
import subprocess
import sys
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT


def test_the_books_of_a_prototype_are_exact(tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IOT_", "DAGSTER_"))
    }
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "infra.local", "demo", "--size", "prototype", "--state", str(tmp_path)],
        cwd=CHECKOUT,
        env=environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "the lake holds what the devices sent: 0 lost, 0 invented" in " ".join(run.stdout.split())
    messages = re.search(r"messages +│ ([\d,]+) +│ ([\d,]+) +│ yes", run.stdout)
    assert messages
    assert int(messages[1].replace(",", "")) > 500
    # Of the stacks those of a prototype alone were deployed.
    assert "TelemetryLake: " in run.stdout
    assert "TelemetryEdge" not in run.stdout
