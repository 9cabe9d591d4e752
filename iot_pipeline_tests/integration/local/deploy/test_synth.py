"""The cached synthesis: by two processes at once, and without writing anywhere else."""

import os
import subprocess
import sys
from pathlib import Path

from infra.local.deploy.stacks import templates
from infra.local.deploy.synth import REPOSITORY, source_digest
from iot_pipeline_tests.support.templates import STACKS

# The stacks whose environment has a domain, which the app's default has not.
WITH_A_DOMAIN = {"TelemetryEntrance", "TelemetryConsole"}
SYNTHESISE = "import sys; from pathlib import Path; from infra.local.deploy.synth import synthesise; "
SYNTHESISE += "print(synthesise(Path(sys.argv[1])))"


def test_two_processes_synthesise_once_each_and_write_nowhere_else(tmp_path: Path) -> None:
    state, home, scratch = (tmp_path / name for name in ("state", "home", "tmp"))
    for folder in (home, scratch):
        folder.mkdir()
    # They may write bytecode beside the sources: compiling the CDK costs either a minute, and those after them too.
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(scratch)}
    # Nothing to reach: a proxy that refuses every connection.
    environment |= {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    home.chmod(0o500)
    command = [sys.executable, "-c", SYNTHESISE, str(state)]
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [process.communicate()[0].strip() for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assembly = state / "cdk" / f"{source_digest()}-telemetry"
    assert answers == [str(assembly)] * 2
    assert list((state / "cdk").iterdir()) == [assembly], "no scratch folder may stay behind"
    assert sorted(templates(assembly)) == sorted(set(STACKS) - WITH_A_DOMAIN)
    assert list(home.iterdir()) == []
    assert list(scratch.iterdir()) == []
