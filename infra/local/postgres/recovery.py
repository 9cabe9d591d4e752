"""Backups of the embedded PostgreSQL, and what is brought back from them: a dump, or any moment since a base backup.

PostgreSQL documentation, "Continuous Archiving and Point-in-Time Recovery (PITR)" and "pg_dump". On AWS Aurora does the
second by itself.
"""

import shlex
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from infra.local.postgres.process import SUPERUSER, Postgres, start_postgres
from infra.local.postgres.program import Programs, programs_for
from infra.local.servers.local_server import LocalError
from infra.local.servers.loopback import HOST


def base_backup(postgres: Postgres, target: Path) -> None:
    """Copy all data of a server that archives its log to a new folder. Raises LocalError with what the program said."""
    programs = programs_for(target.parent)
    target.mkdir(mode=0o700)
    programs.own(target)
    # Without the log itself, which is in the archive.
    _run(programs, postgres, "pg_basebackup", "-D", target, "--wal-method=none", "--checkpoint=fast", "--no-sync")


def dump(postgres: Postgres, database: str, target: Path) -> None:
    """Write a database to a file, as of now. Raises LocalError with what the program said."""
    programs = programs_for(target.parent)
    target.touch(mode=0o600)
    programs.own(target)
    _run(programs, postgres, "pg_dump", "--format=custom", f"--file={target}", database)


def load(postgres: Postgres, database: str, source: Path) -> None:
    """Restore a dump into an empty database; whom it grants rights must exist. Raises LocalError."""
    options = ("--exit-on-error", "--single-transaction", f"--dbname={database}")
    _run(programs_for(source.parent), postgres, "pg_restore", *options, source)


def recover(base: Path, archive: Path, password: str, state_dir: Path, moment: datetime | None = None) -> Postgres:
    """Start a server with the data as of `moment`, or of the last change in the archive, and an archive of its own.

    `state_dir` is new; `password` is that of the server that was lost. Raises LocalError if it does not come up.
    """
    state_dir.mkdir(parents=True)
    programs = programs_for(state_dir)
    data = state_dir / "data"
    shutil.copytree(base, data)
    target = "" if moment is None else f"recovery_target_time = '{moment.isoformat()}'\n"
    kept = shlex.quote(str(archive.resolve())) + "/%f"
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'cp {kept} %p'\nrecovery_target_action = 'promote'\n{target}")
        # Else it says that it is ready while it is still at it, and shows what it has so far.
        settings.write("hot_standby = off\n")
    (data / "recovery.signal").touch()
    secret = state_dir / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    data.chmod(0o700)
    for path in (secret, data, *data.rglob("*")):
        programs.own(path)
    return start_postgres(state_dir, archive=state_dir / "archive")


def _run(programs: Programs, postgres: Postgres, program: str, *arguments: object) -> None:
    where = ("-h", HOST, "-p", postgres.port, "-U", SUPERUSER, "--no-password")
    command = programs.command(program, *where, *arguments)
    environment = {"PGPASSWORD": postgres.password, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=False, **programs.identity
    )
    if done.returncode:
        raise LocalError(f"{program} ended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
