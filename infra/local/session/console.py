"""The console beside a local AWS: its users, its address at Cognito, its process."""

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from infra.local.servers.local_server import LocalServer, answers, launch
from infra.local.servers.loopback import HOST
from infra.local.servers.private_files import write_private
from infra.local.session.platform import Platform
from iot_pipeline.console.identity.directory import Directory, PersonError, new_password
from iot_pipeline.console.viewer import Role
from iot_pipeline.settings import Console, Deployment, variable

# At each start of a local AWS they are made anew: a file of passwords that outlives them would be of no use.
PASSWORDS = "console-passwords"


@dataclass
class LocalConsole(LocalServer):
    """The console's process; `url` is where browsers find it."""

    url: str


def start_console(platform: Platform, port: int, dagster_url: str | None = None) -> LocalConsole:
    """The console's process on a port, ready to be asked; `dagster_url` is where it asks Dagster, and links to.

    Raises LocalError if it ends before.
    """
    url = f"http://{HOST}:{port}"
    _admit(platform, url)
    dagster = {} if dagster_url is None else {variable(Deployment, "dagster_url"): dagster_url}
    return launch_console(platform.state_dir, url, os.environ | dagster)


def launch_console(folder: Path, url: str, environment: Mapping[str, str]) -> LocalConsole:
    """A console that is to be found at an address of this machine, with its log in a folder. Raises as above."""
    port = url.rpartition(":")[2]
    own = {variable(Console, "url"): url, variable(Console, "host"): HOST, variable(Console, "port"): port}
    log_file = folder / "console.log"
    process = launch([sys.executable, "-m", "iot_pipeline.console"], log_file, folder, {**environment, **own})
    server = LocalConsole("the console", process, log_file, url)
    server.start(lambda: answers(f"{url}/healthz"))
    return server


def make_users(platform: Platform, tenants: Iterable[str]) -> dict[str, str]:
    """A user for each role and for each tenant, with passwords by name; they are noted in a file that is private."""
    users = {str(role): str(role) for role in Role if role is not Role.TENANT} | {
        f"tenant-{tenant}": f"tenant:{tenant}" for tenant in tenants
    }
    made = {name: new_password() for name in users}
    pool = platform.deployed.outputs["ConsoleUserPool"]
    cognito: Any = boto3.client("cognito-idp")
    directory = Directory(cognito, pool)
    for name, group in users.items():
        # Those of an earlier start are there.
        with suppress(PersonError):
            directory.add(name, group)
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=made[name], Permanent=True)
    _note(platform, made)
    return made


def _note(platform: Platform, passwords: Mapping[str, str]) -> None:
    lines = (f"{name} {password}\n" for name, password in passwords.items())
    write_private(platform.state_dir / PASSWORDS, "".join(lines))


def _admit(platform: Platform, url: str) -> None:
    """Tell Cognito where people come back to: the port is chosen anew at each start."""
    outputs = platform.deployed.outputs
    where = {"UserPoolId": outputs["ConsoleUserPool"], "ClientId": outputs["ConsoleClientId"]}
    cognito: Any = boto3.client("cognito-idp")
    # What an update does not name, Cognito resets.
    client = cognito.describe_user_pool_client(**where)["UserPoolClient"]
    kept = {name: value for name, value in client.items() if name not in _ANSWERED_ONLY and value != ""}
    cognito.update_user_pool_client(**kept | {"CallbackURLs": [f"{url}/callback"], "LogoutURLs": [f"{url}/signed-out"]})


_ANSWERED_ONLY = {"ClientSecret", "CreationDate", "LastModifiedDate"}
