"""`python -m infra.local`: a mistake is one line that says where it stands, and exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT


def test_an_environment_that_cannot_be_is_told_with_its_name(tmp_path: Path) -> None:
    wrong = {"IOT_CRAWL_ON_EVENTS_MINUTES": "99999"}
    run = subprocess.run(
        [sys.executable, "-m", "infra.local", "demo", "--state", str(tmp_path / "state")],
        cwd=CHECKOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith("IOT_")} | wrong,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    # The name in brackets is no markup of a terminal.
    assert run.stdout.startswith("error: environments.toml: [telemetry] crawl_on_events_minutes must be 0, for none")
    assert "Traceback" not in run.stderr
