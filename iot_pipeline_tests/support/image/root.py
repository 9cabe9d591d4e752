"""The file system of an image without Docker: this machine's system and Python, read-only, and the image's own files.

A process sees its files at the paths, as the user and with the environment that a container would have. What is not
the image's: Debian's files and Python's are this machine's, and the network is too.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

# A merged /usr, as Debian has it.
_LINKS = ("bin", "lib", "lib64", "sbin")
_ETC = ("passwd", "group", "shadow", "gshadow", "login.defs", "hosts", "resolv.conf", "nsswitch.conf", "ld.so.cache")
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# Of the machine: how packages are fetched here.
_MACHINES = ("PIP_", "UV_", "SSL_CERT")
_MOUNTS = """set -e
root=$1 writable=$2 cache=$3; shift 3
mount --bind "$root" "$root"
mount --rbind /usr "$root/usr"
mount --bind "$PYTHON_PREFIX" "$root/usr/local"
mount --rbind /etc/ssl "$root/etc/ssl"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
if [ "$writable" = yes ]; then mount --bind "$cache" "$root/cache"
else mount -o remount,bind,ro "$root"; mount -t tmpfs tmpfs "$root/tmp"; fi
unset PYTHON_PREFIX
exec "$@"
"""


@dataclass(frozen=True)
class Image:
    """A root with what processes in it start with."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    folder: str = "/"
    user: str = "0:0"
    command: tuple[str, ...] = ()

    def path(self, inside: str) -> Path:
        """A path of the image as this machine has it; relative ones begin in the image's folder."""
        return self.root / str(Path(self.folder, inside)).lstrip("/")

    def process(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> list[str]:
        """The command that runs one in the image as a container would: as its user, with a root that is read-only and
        a /tmp of its own.
        """
        return self._in(command, {**self.environment, **(environment or {})}, self.user, writable=False)

    def build(self, command: Sequence[str]) -> None:
        """Execute a step of the build. Raises CalledProcessError with what it printed."""
        machines = {name: value for name, value in os.environ.items() if name.startswith(_MACHINES)}
        machines["UV_CACHE_DIR"] = "/cache"
        ran = subprocess.run(
            self._in(command, {**self.environment, **machines}, self.user, writable=True),
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise subprocess.CalledProcessError(ran.returncode, command, ran.stdout, ran.stderr[-4000:])

    def copied(self, root: Path) -> "Image":
        """The same files in another root. Links to them: no step changes a file of an earlier stage in place."""
        subprocess.run(["cp", "--archive", "--link", str(self.root), str(root)], check=True)
        # useradd writes these in place.
        for name in _ETC:
            if (source := self.root / "etc" / name).exists():
                (root / "etc" / name).unlink()
                shutil.copy2(source, root / "etc" / name)
        return replace(self, root=root)

    def _in(self, command: Sequence[str], environment: Mapping[str, str], user: str, *, writable: bool) -> list[str]:
        cache = Path(os.environ.get("UV_CACHE_DIR", Path.home() / ".cache/uv"))
        cache.mkdir(parents=True, exist_ok=True)
        variables = [f"{name}={value}" for name, value in {**environment, "LD_LIBRARY_PATH": "/usr/local/lib"}.items()]
        within = ["chroot", f"--userspec={user}", str(self.root), "/usr/bin/env", "-i", "-C", self.folder, *variables]
        mounts = ["sh", "-c", _MOUNTS, "sh", str(self.root), "yes" if writable else "no", str(cache)]
        return [
            "env",
            f"PYTHON_PREFIX={sys.base_prefix}",
            "unshare",
            "--mount",
            "--propagation=private",
            *mounts,
            *within,
            *command,
        ]


def bare(root: Path) -> Image:
    """What stands for the base image: nothing of its own but /etc's users and an empty /tmp."""
    for name in ("usr", "etc/ssl", "dev", "proc", "opt", "cache", "root"):
        (root / name).mkdir(parents=True)
    (root / "tmp").mkdir(mode=0o1777)
    (root / "tmp").chmod(0o1777)
    for name in _LINKS:
        (root / name).symlink_to(f"usr/{name}")
    for name in _ETC:
        if (source := Path("/etc") / name).exists():
            shutil.copy2(source, root / "etc" / name)
    return Image(root)


def unavailable() -> str:
    """Why this machine cannot do it; empty where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "an image's file system is laid out by mounts, which only root may make"
    if not Path("/bin").is_symlink():
        return "this system's /usr is not merged, as the base image's is"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"no mounts are allowed here: {tried.stderr.strip()}"
