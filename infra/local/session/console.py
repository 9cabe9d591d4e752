"""The console beside a local AWS: its users, its address at Cognito, its process."""

import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.local.servers.local_server import LocalServer, answers, launch
from infra.local.servers.loopback import HOST
from infra.local.servers.private_files import write_private
from infra.local.session.platform import Platform
from infra.stacks.console.users import ROLES
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
    users = {role: role for role in ROLES} | {f"tenant-{tenant}": f"tenant:{tenant}" for tenant in tenants}
    made = {name: _password() for name in users}
    pool = platform.deployed.outputs["ConsoleUserPool"]
    cognito: Any = boto3.client("cognito-idp")
    for name, group in users.items():
        _once(cognito.create_group, UserPoolId=pool, GroupName=group)
        password = made[name]
        _once(
            cognito.admin_create_user,
            UserPoolId=pool,
            Username=name,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
        )
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
    _note(platform, made)
    return made


def _note(platform: Platform, passwords: Mapping[str, str]) -> None:
    lines = (f"{name} {password}\n" for name, password in passwords.items())
    write_private(platform.state_dir / PASSWORDS, "".join(lines))


def _password() -> str:
    # One of each kind that the pool's policy asks for.
    return f"{secrets.token_urlsafe(18)}-Aa1"


def _once(call: Any, **arguments: Any) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"GroupExistsException", "UsernameExistsException"}:
            raise


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
