"""The local AWS of one checkout: started, deployed to, described to others, stopped."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil
from rich.console import Console

from infra.local.deploy import DeployResult, deploy
from infra.local.emulator.process import Emulator, free_port, start_emulator
from infra.local.emulator.settings import HOST

CHECKOUT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"

# Firehose buffers for 60 s on AWS; locally a second or so is enough to see objects of more than one message.
FIREHOSE_INTERVAL_SCALE = 0.03

READY_SECONDS = 30.0
STOP_SECONDS = 60.0

Say = Callable[[str], None]


class PlatformError(RuntimeError):
    """The local AWS cannot be started or stopped as asked; the text says why and the way out."""


@dataclass(frozen=True)
class Running:
    """What is noted of a running local AWS, so that others find it and a crash leaves nothing unaccounted for."""

    endpoint_url: str
    athena_url: str
    mqtt_port: int
    pids: dict[str, float]


@dataclass
class Platform:
    """A running, deployed local AWS."""

    state_dir: Path
    emulator: Emulator
    athena_url: str
    deployed: DeployResult

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to work with this local AWS, and nothing else local."""
        outputs = self.deployed.outputs
        return {
            "AWS_ENDPOINT_URL": self.emulator.endpoint_url,
            "AWS_ENDPOINT_URL_ATHENA": self.athena_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "IOT_LAKE_BUCKET": outputs["LakeBucket"],
            "IOT_RAW_QUEUE_URL": outputs["RawQueueUrl"],
            "IOT_ALERTS_TOPIC_ARN": outputs["AlertsTopicArn"],
            "IOT_GLUE_DATABASE": outputs["GlueDatabase"],
            "IOT_ATHENA_WORKGROUP": outputs["AthenaBuildWorkgroup"],
            "IOT_RAW_CRAWLER": outputs["RawCrawler"],
            "IOT_CURATED_CRAWLER": outputs["CuratedCrawler"],
            "DAGSTER_HOME": str(dagster_home(self.state_dir)),
        }


@contextmanager
def running(state_dir: Path, cache_dir: Path, console: Console) -> Iterator[Platform]:
    """A local AWS for the time of a `with` block: started, deployed to, and stopped whatever happens in it.

    `state_dir` holds all that it writes; `cache_dir` keeps the synthesised templates from one start to the next.

    Raises PlatformError if this checkout's local AWS runs already, or parts of one that was killed are still there.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with _lock(state_dir):
        _refuse_leftovers(state_dir)
        athena: subprocess.Popen[bytes] | None = None
        console.print("starting the local AWS")
        ports = _remembered_ports(state_dir)
        emulator = start_emulator(
            state_dir / "aws",
            port=ports.get("emulator"),
            mqtt_port=ports.get("mqtt"),
            region=REGION,
            firehose_interval_scale=FIREHOSE_INTERVAL_SCALE,
        )
        try:
            _note(state_dir, emulator, "", [emulator.process.pid])
            athena, athena_url = _start_athena(state_dir, emulator, ports.get("athena"))
            _note(state_dir, emulator, athena_url, [emulator.process.pid, athena.pid])
            with _environment(_credentials(emulator.endpoint_url)):
                deployed = deploy(cache_dir, console)
            platform = Platform(state_dir, emulator, athena_url, deployed)
            _prepare_dagster_home(state_dir)
            with _environment(platform.environment):
                yield platform
        finally:
            console.print("stopping the local AWS")
            if athena is not None:
                _stop(athena)
            emulator.stop()
            _running_file(state_dir).unlink(missing_ok=True)


def write_env_file(platform: Platform, path: Path) -> None:
    """Write the environment as a .env file, which `dagster dev` and `dg` read in the folder they are started in."""
    lines = [
        "# Generated; gone stale when the local AWS is started on other ports.",
        *_assignments(platform.environment),
    ]
    path.write_text("\n".join(lines) + "\n")


def stop_leftovers(state_dir: Path, say: Say) -> None:
    """Stop what a killed session left running; nothing to stop is fine too."""
    leftovers = [member for process in _leftovers(state_dir) for member in _with_descendants(process)]
    for process in leftovers:
        say(f"stopping process {process.pid}")
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(leftovers, timeout=STOP_SECONDS)
    for process in alive:
        say(f"process {process.pid} does not stop; killing it")
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _running_file(state_dir).unlink(missing_ok=True)


def _with_descendants(process: psutil.Process) -> list[psutil.Process]:
    """A process and what it has started since it was noted, such as Dagster's run workers."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def reset(state_dir: Path, say: Say) -> None:
    """Stop what is running and remove all that it wrote."""
    stop_leftovers(state_dir, say)
    shutil.rmtree(state_dir, ignore_errors=not state_dir.exists())
    say(f"removed the state in {state_dir}")


def clear(state_dir: Path) -> None:
    """Make way for a session that begins anew: stop and remove what an earlier one left behind.

    Raises PlatformError if a session is using the folder now.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with _lock(state_dir) as lock:
        stop_leftovers(state_dir, lambda _: None)
        for child in state_dir.iterdir():
            if child != Path(lock.name):
                shutil.rmtree(child) if child.is_dir() else child.unlink()


def dagster_home(state_dir: Path) -> Path:
    """Where Dagster's instance keeps its history."""
    return (state_dir / "dagster").resolve()


def _prepare_dagster_home(state_dir: Path) -> None:
    home = dagster_home(state_dir)
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CHECKOUT / "dagster.yaml", home / "dagster.yaml")


def _assignments(environment: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def _credentials(endpoint_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_athena(state_dir: Path, emulator: Emulator, port: int | None) -> tuple[subprocess.Popen[bytes], str]:
    home = state_dir / "athena"
    home.mkdir(parents=True, exist_ok=True)
    ready = home / "ready"
    ready.unlink(missing_ok=True)
    log = home / "athena.log"
    command = [sys.executable, "-m", "infra.local.athena", "--port", str(port or free_port())]
    command += ["--state-dir", str(home), "--ready-file", str(ready)]
    command += ["--s3-data-dir", str(state_dir / "aws" / "s3")]
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            env=os.environ | _credentials(emulator.endpoint_url),
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=CHECKOUT,
        )
    deadline = time.monotonic() + READY_SECONDS
    while not (ready.exists() and ready.read_text().strip()):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise PlatformError(f"the local Athena did not start; {log} ends with:\n{tail}")
        time.sleep(0.05)
    return process, f"http://{HOST}:{json.loads(ready.read_text())['port']}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _lock(state_dir: Path) -> Iterator[IO[str]]:
    with (state_dir / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise PlatformError(
                f"the local AWS of {state_dir.resolve()} is in use by process {lock.read().strip() or 'unknown'}; "
                "end it with Ctrl-C where it runs, or with `make down`"
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock


def _running_file(state_dir: Path) -> Path:
    return state_dir / "running.json"


def _ports_file(state_dir: Path) -> Path:
    return state_dir / "ports.json"


def _note(state_dir: Path, emulator: Emulator, athena_url: str, pids: list[int]) -> None:
    started = {str(pid): psutil.Process(pid).create_time() for pid in [os.getpid(), *pids]}
    noted = Running(emulator.endpoint_url, athena_url, emulator.mqtt_port, started)
    _running_file(state_dir).write_text(json.dumps(asdict(noted), indent=1))
    ports = {"emulator": emulator.port, "mqtt": emulator.mqtt_port}
    if athena_url:
        ports["athena"] = int(athena_url.rsplit(":", 1)[1])
    _ports_file(state_dir).write_text(json.dumps(ports))


def note_processes(state_dir: Path, processes: Iterable[psutil.Process]) -> None:
    """Add processes to those that `make down` stops after a kill."""
    path = _running_file(state_dir)
    noted = json.loads(path.read_text())
    noted["pids"] |= {str(process.pid): process.create_time() for process in processes}
    path.write_text(json.dumps(noted, indent=1))


def _remembered_ports(state_dir: Path) -> dict[str, int]:
    """The ports of last time, as far as they are free still, so that a .env stays true from one start to the next."""
    try:
        ports: dict[str, int] = json.loads(_ports_file(state_dir).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    in_use = {c.laddr.port for c in psutil.net_connections("tcp") if c.laddr and c.status == psutil.CONN_LISTEN}
    return {name: port for name, port in ports.items() if port not in in_use}


def _leftovers(state_dir: Path) -> list[psutil.Process]:
    """Processes of an earlier session that still run: the same process ids, started at the same time."""
    try:
        noted = json.loads(_running_file(state_dir).read_text())["pids"]
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return []
    found = []
    for pid, started in noted.items():
        try:
            process = psutil.Process(int(pid))
            if abs(process.create_time() - started) < 1 and process.pid != os.getpid():
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def _refuse_leftovers(state_dir: Path) -> None:
    leftovers = _leftovers(state_dir)
    if leftovers:
        pids = ", ".join(str(process.pid) for process in leftovers)
        raise PlatformError(f"processes of a killed session still run ({pids}); `make down` stops them")
