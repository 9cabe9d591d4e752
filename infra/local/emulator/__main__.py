"""`python -m infra.local.emulator`: the local AWS, in the foreground, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import fcntl
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from infra.local.emulator.settings import EmulatorSettings
from infra.local.recording.recorder import recording_environment
from infra.local.servers.freed_memory import GIVING_BACK, give_back_freed_memory
from infra.local.servers.loopback import HOST


def parse_settings(arguments: list[str] | None = None) -> EmulatorSettings:
    """Settings from the command line; each option's default comes from the environment variable its help names."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.emulator", description="The local AWS.")
    env = os.environ.get
    parser.add_argument("--port", type=int, default=env("LOCAL_AWS_PORT", "4566"), help="AWS API [LOCAL_AWS_PORT]")
    parser.add_argument(
        "--mqtt-port", type=int, default=env("LOCAL_AWS_MQTT_PORT", "8883"), help="MQTT [LOCAL_AWS_MQTT_PORT]"
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=env("LOCAL_AWS_STATE_DIR", ".local/aws"),
        help="everything it writes [LOCAL_AWS_STATE_DIR]",
    )
    parser.add_argument("--region", default=env("AWS_REGION", "eu-west-1"), help="[AWS_REGION]")
    parser.add_argument(
        "--firehose-interval-scale",
        type=float,
        default=env("LOCAL_AWS_FIREHOSE_INTERVAL_SCALE", "1.0"),
        help="multiplies every IntervalInSeconds [LOCAL_AWS_FIREHOSE_INTERVAL_SCALE]",
    )
    parser.add_argument(
        "--kinesis-poll-seconds",
        type=float,
        default=env("LOCAL_AWS_KINESIS_POLL_SECONDS", "1.0"),
        help="how often an event source mapping asks a shard for records [LOCAL_AWS_KINESIS_POLL_SECONDS]",
    )
    parser.add_argument(
        "--async-retry-seconds",
        type=float,
        default=env("LOCAL_AWS_ASYNC_RETRY_SECONDS", "60.0"),
        help="wait before an asynchronous call is tried again [LOCAL_AWS_ASYNC_RETRY_SECONDS]",
    )
    parser.add_argument(
        "--mqtt-wait-scale",
        type=float,
        default=env("LOCAL_AWS_MQTT_WAIT_SCALE", "1.0"),
        help="multiplies an MQTT client's keep-alive [LOCAL_AWS_MQTT_WAIT_SCALE]",
    )
    parser.add_argument("--log-level", default=env("LOCAL_AWS_LOG_LEVEL", "WARNING"), help="[LOCAL_AWS_LOG_LEVEL]")
    options = parser.parse_args(arguments)
    options.state_dir = options.state_dir.resolve()
    return EmulatorSettings(**vars(options))


def check_ports(settings: EmulatorSettings) -> None:
    """Exit with a message that names the port and the option when one of the two ports is taken."""
    for port, option in ((settings.port, "--port"), (settings.mqtt_port, "--mqtt-port")):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                sys.exit(
                    f"Port {port} on {HOST} cannot be used ({error.strerror}): stop what holds it, or choose {option}."
                )


def lock_state(settings: EmulatorSettings) -> TextIO:
    """Take the state folder for this process; exit with a message when another has it, or a state file is broken.

    The lock lasts as long as the returned file is open.
    """
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    lock = (settings.state_dir / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        sys.exit(f"{settings.state_dir} is in use by the local AWS with process id {lock.read().strip() or 'unknown'}.")
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    for path in (settings.state_dir / "services").glob("*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            sys.exit(f"{path} is not readable ({error}): restore it, or start afresh by removing {settings.state_dir}.")
    return lock


@contextmanager
def temporary_files(settings: EmulatorSettings) -> Iterator[None]:
    """A folder of the state for the time of a `with` block, where this process and its functions put what is temporary.

    ministack leaves the folder of each function's process where it is when it ends itself. What one that was killed
    has left is removed first.
    """
    folder = settings.state_dir / "tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve(settings: EmulatorSettings) -> None:
    """Serve until SIGTERM or SIGINT, then deliver what Firehose holds and save the state."""
    import resource

    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack import app

    from infra.local.emulator.access import guarded
    from infra.local.emulator.functions import environment

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    config = Config()
    config.bind = [f"{HOST}:{settings.port}"]
    config.keep_alive_timeout = 75
    config.loglevel = settings.log_level
    config.backlog = 1024
    give_back_freed_memory()
    try:
        asyncio.run(hypercorn_serve(guarded(app.app), config))
    finally:
        environment.end_all()


def main() -> None:
    """Start the local AWS with the options of the command line."""
    os.umask(0o077)  # private keys are among what ministack saves
    settings = parse_settings()
    check_ports(settings)
    lock = lock_state(settings)
    # Functions inherit the environment of this process: what a person has set for his own commands is not theirs.
    for name in [name for name in os.environ if name.startswith("IOT_") or name == "PYTHONPATH"]:
        del os.environ[name]
    os.environ.update(settings.ministack_environment() | recording_environment())
    with lock, temporary_files(settings):
        _serve_extended(settings)


def _serve_extended(settings: EmulatorSettings) -> None:
    from infra.local.emulator.extensions import WrongMinistackVersionError, install_extensions

    try:
        install_extensions(settings)
    except WrongMinistackVersionError as error:
        sys.exit(str(error))
    for name in GIVING_BACK:  # the extensions have imported Arrow; functions have theirs as on AWS
        os.environ.pop(name, None)
    serve(settings)


if __name__ == "__main__":
    main()
