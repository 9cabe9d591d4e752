"""One turn of the benchmark of the shortcuts: the judging statement, once, in a process that has run nothing before."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.athena.config import Config
from infra.local.athena.execute import Statements
from infra.local.athena.queries.execution import Execution
from infra.local.athena.queries.workgroups import WorkGroup
from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.statements import Target, build_judged

BUCKET = "bench"
ON, OFF = "shortcuts", "no shortcuts"


@dataclass(frozen=True)
class Task:
    """What to run: over which arrival hours of which emulator's raw objects; `side` is ON or OFF."""

    side: str
    state_dir: str
    arrivals: list[list[str]]
    threads: int
    counted: bool = False
    """Whether callgrind runs this process and counts its instructions from the statement's start to its end."""

    def argument(self) -> str:
        """The task as the child process takes it."""
        return json.dumps(asdict(self))


def statements(state_dir: Path, threads: int = Config.threads, *, shortcuts: bool = True) -> Statements:
    """The local Athena's own engine, over the emulator of the environment whose state is below `state_dir`."""
    return Statements(
        Config(
            state_dir=Path(tempfile.mkdtemp(dir=state_dir)),
            endpoint_url=os.environ["AWS_ENDPOINT_URL"],
            s3_data_dir=state_dir / "aws" / "s3",
            threads=threads,
            shortcuts=shortcuts,
        )
    )


def execution(sql: str) -> Execution:
    """A statement in the database `default`, as the API would start it."""
    return Execution(sql, "default", WorkGroup("primary", {}), f"s3://{BUCKET}/results/{uuid.uuid4()}.csv")


def main() -> None:
    """Run the task of the command line; print the statement's CPU seconds and rows."""
    task = Task(**json.loads(sys.argv[1]))
    hours = [Hour.from_values(values) for values in task.arrivals]
    engine = statements(Path(task.state_dir), task.threads, shortcuts=task.side == ON)
    name = f"judged_{uuid.uuid4().hex}"
    judging = execution(build_judged(CONTRACT, hours, Target(name, f"s3://{BUCKET}/judged/{name}/")))
    _count(task, "on")
    before = _cpu()
    engine.run(judging)
    seconds = _cpu() - before
    _count(task, "off")
    print(seconds, judging.update_count)


def _count(task: Task, switch: str) -> None:
    if task.counted:
        command = ["callgrind_control", "-i", switch, str(os.getpid())]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
