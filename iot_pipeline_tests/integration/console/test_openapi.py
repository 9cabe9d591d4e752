"""The OpenAPI document against the service: a client that nobody here wrote asks by it, rightly and wrongly."""

import subprocess
import sys
from pathlib import Path

from iot_pipeline_tests.support.console import RunningConsole

# A stream that never ends; and what is made again at each request: keys, devices with certificates, queries of Athena.
LEFT_OUT = "/api/live/stream|/api/keys|/api/admin/devices|/api/admin/rules/try|/api/health/hours/|/series|/quality"
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,response_headers_conformance"
EXAMPLES = 12


def test_schemathesis_finds_nothing(console: RunningConsole, tmp_path: Path) -> None:
    client = console.signed_in("admin")
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    headers = {"Cookie": cookies, "Origin": console.url, "X-CSRF-Token": client.headers["X-CSRF-Token"]}
    command = [str(Path(sys.executable).with_name("st")), "run", f"{console.url}/api/openapi.json"]
    options = ["--checks", CHECKS, "--max-examples", str(EXAMPLES), "--exclude-path-regex", LEFT_OUT]
    quiet = ["--no-color", "--warnings", "off", "--phases", "examples,coverage,fuzzing", "--continue-on-failure"]
    signed = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        [*command, *options, *quiet, *signed, "--generation-deterministic", "--request-timeout", "60"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    assert client.get("/healthz").json() == {"status": "ok"}
