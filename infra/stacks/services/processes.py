"""The processes that the images hold: their commands, what they need of a machine, and how their health is told.

The same commands are executed by the test that materializes the graph from the image's files.
"""

from dataclasses import dataclass

from infra.stacks.services.ports import CODE_PORT, CONSOLE_PORT, WEBSERVER_PORT

ANY_ADDRESS = "0.0.0.0"  # noqa: S104  # in a container; the security groups say who reaches it
WORKSPACE = "/opt/dagster/workspace.yaml"


def _answers(port: int, path: str) -> tuple[str, ...]:
    asked = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{path}', timeout=4)"
    return ("python", "-c", asked)


@dataclass(frozen=True)
class Process:
    """One process of an image. `cpu` is in 1,024ths of a core, `memory` in MiB: a pair that Fargate has (ECS guide,
    "Task CPU and memory"). `healthy` is a command that fails while it is not.
    """

    name: str
    image: str
    command: tuple[str, ...]
    cpu: int
    memory: int
    port: int | None = None
    healthy: tuple[str, ...] = ()


CODE = Process(
    "code",
    "dagster",
    ("dagster", "api", "grpc", "-h", ANY_ADDRESS, "-p", str(CODE_PORT), "-m", "iot_pipeline.definitions"),
    cpu=1024,
    memory=3072,
    port=CODE_PORT,
    healthy=("dagster", "api", "grpc-health-check", "-p", str(CODE_PORT)),
)
WEBSERVER = Process(
    "webserver",
    "dagster",
    ("python", "-m", "iot_pipeline.webserver", "-h", ANY_ADDRESS, "-p", str(WEBSERVER_PORT), "-w", WORKSPACE),
    cpu=512,
    memory=2048,
    port=WEBSERVER_PORT,
    healthy=_answers(WEBSERVER_PORT, "/server_info"),
)
DAEMON = Process(
    "daemon",
    "dagster",
    ("dagster-daemon", "run", "-w", WORKSPACE),
    cpu=512,
    memory=2048,
    healthy=("dagster-daemon", "liveness-check"),
)
# Its command is the launcher's, a run's own.
RUN = Process("run", "dagster", ("dagster", "--version"), cpu=1024, memory=4096)
WATCHER = Process("watcher", "dagster", ("python", "-m", "iot_pipeline.watcher", "--once"), cpu=256, memory=1024)
CONSOLE = Process(
    "console",
    "console",
    ("python", "-m", "iot_pipeline.console"),
    cpu=512,
    memory=1024,
    port=CONSOLE_PORT,
    healthy=_answers(CONSOLE_PORT, "/healthz"),
)
PROCESSES = (CODE, WEBSERVER, DAEMON, RUN, WATCHER, CONSOLE)
IMAGES = tuple(dict.fromkeys(process.image for process in PROCESSES))
