"""Runs of Glue's Spark jobs: the job's script, in a process of its own, on a Spark of this machine.

AWS Glue developer guide, "AWS Glue job parameters", "AWS Glue job run statuses". Stock ministack says SUCCEEDED of a
Spark job without running it, unless there is Docker. Here the script and its `--extra-py-files` come from S3 as they
are deployed, with the arguments that Glue gives. Not emulated: workers on other machines, `--additional-python-modules`
(this interpreter has them), bookmarks, and Glue's own library `awsglue`.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ministack.core.responses import get_region
from ministack.services import glue

from infra.local.emulator.authorisation.requests import service_credentials
from infra.local.emulator.authorisation.service_roles import ServiceRole
from infra.local.servers.local_spark import MISSING, is_installed, spark_environment

log = logging.getLogger("local_aws.glue")

# How much of what a script wrote last is kept as the run's error.
_ERROR_CHARACTERS = 2_000
# A script that is told to stop has so long; Glue ends the machine that it runs on.
_STOP_SECONDS = 10
_processes: dict[str, "subprocess.Popen[bytes]"] = {}
_lock = threading.Lock()
_stock_stop = glue._batch_stop_job_run


class _ThereIsAnImage:
    """Where ministack asks Docker whether a job can be run: yes, by us."""

    @property
    def images(self) -> Any:
        return self

    def get(self, _: str) -> None:
        return None


def install() -> None:
    """Run Spark jobs here, and stop them where they are stopped."""
    glue._get_docker = _ThereIsAnImage
    glue._execute_spark_docker = _execute
    glue._batch_stop_job_run = _stop


def _execute(run: Any, job: Any, job_name: str, arguments: Any, script: str, _: Any) -> None:
    """Fill in how the run ended; it is RUNNING meanwhile."""
    if not is_installed():
        run["JobRunState"], run["ErrorMessage"] = "FAILED", MISSING
        return
    with tempfile.TemporaryDirectory(prefix="glue-run-") as scratch:
        folder = Path(scratch)
        try:
            state, message = _run(run["Id"], job, script, arguments, folder)
        except Exception as error:  # nobody else would end the run
            log.exception("job %s, run %s could not be run", job_name, run["Id"])
            state, message = "FAILED", f"{type(error).__name__}: {error}"
    # A run that was stopped is told so already.
    if run["JobRunState"] == "RUNNING":
        run["JobRunState"], run["ErrorMessage"] = state, message
    log.warning("job %s, run %s: %s %s", job_name, run["Id"], run["JobRunState"], message[-300:])


def _run(run_id: str, job: Any, script: str, arguments: Any, folder: Path) -> tuple[str, str]:
    given = [part for name, value in arguments.items() for part in (name, str(value))]
    output = folder / "output"
    with output.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, script, *given],
            env=_environment(job, arguments, folder),
            cwd=folder,
            stdout=written,
            stderr=subprocess.STDOUT,
            # Spark's JVM is a child: all of them are stopped together.
            start_new_session=True,
        )
        with _lock:
            _processes[run_id] = process
        try:
            code = process.wait(60 * float(job.get("Timeout") or 2_880))
        except subprocess.TimeoutExpired:
            _end(process)
            return "TIMEOUT", f"the run took longer than the job's timeout of {job['Timeout']} minutes"
        finally:
            with _lock:
                _processes.pop(run_id, None)
    # The driver's JVM ends with its Python, a moment later.
    _end(process)
    tail = output.read_text(errors="replace")[-_ERROR_CHARACTERS:]
    return ("SUCCEEDED", "") if code == 0 else ("FAILED", tail or f"exit code {code}")


def _environment(job: Any, arguments: Any, folder: Path) -> dict[str, str]:
    """What the script finds: its role's credentials, Spark's settings, and the packages of `--extra-py-files`."""
    role = ServiceRole(job["Role"], "glue.amazonaws.com", glue._arn("job", job["Name"]))
    packages = []
    for number, uri in enumerate(filter(None, str(arguments.get("--extra-py-files", "")).split(","))):
        local = glue._resolve_script(uri.strip())
        if local is None:
            raise FileNotFoundError(f"--extra-py-files names {uri}, which is not in S3")
        link = folder / f"package{number}.zip"
        link.symlink_to(local)
        packages.append(str(link))
    settings = folder / "conf"
    settings.mkdir()
    (settings / "spark-defaults.conf").write_text(
        "spark.master local[2]\nspark.ui.enabled false\nspark.driver.memory 1g\nspark.sql.shuffle.partitions 8\n"
        "spark.driver.bindAddress 127.0.0.1\nspark.driver.host 127.0.0.1\nspark.ui.showConsoleProgress false\n"
    )
    # The root's credentials are the emulator's own.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("AWS_")}
    return {
        **kept,
        **spark_environment(),
        **service_credentials(role, job["Name"]),
        "SPARK_CONF_DIR": str(settings),
        "PYTHONPATH": os.pathsep.join(packages),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
    }


def _stop(data: Any) -> Any:
    """BatchStopJobRun: the state, and the processes."""
    answer = _stock_stop(data)
    for run_id in data.get("JobRunIds", []):
        with _lock:
            process = _processes.get(run_id)
        if process is not None:
            _end(process)
    return answer


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a script with all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline and _is_there(process):
            time.sleep(0.1)


def _is_there(process: "subprocess.Popen[bytes]") -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
