"""A Dockerfile, parsed as far as this project's goes; what it does not know it refuses by name."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

KNOWN = {"RUN", "COPY", "ADD", "ENV", "WORKDIR", "USER", "CMD", "EXPOSE", "HEALTHCHECK", "ARG", "VOLUME"}


class DockerfileError(ValueError):
    """An instruction that is not known here."""


@dataclass(frozen=True)
class Step:
    """One instruction: `words` are its arguments, `options` those that begin with two dashes."""

    keyword: str
    words: tuple[str, ...]
    options: Mapping[str, str]
    is_exec_form: bool
    line: int


@dataclass
class Stage:
    """A stage by its name, what it begins from, and its steps."""

    name: str
    base: str
    steps: list[Step] = field(default_factory=list)


def parse(text: str) -> tuple[dict[str, str | None], dict[str, Stage]]:
    """The arguments before the first stage with their defaults, and the stages by name. Raises DockerfileError."""
    arguments: dict[str, str | None] = {}
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for line, instruction in _instructions(text):
        keyword, _, rest = instruction.partition(" ")
        if keyword == "FROM":
            base, _, name = rest.partition(" AS ")
            if not name:
                raise DockerfileError(f"line {line}: a stage without a name: {instruction}")
            stage = stages[name] = Stage(name, base)
        elif keyword not in KNOWN:
            raise DockerfileError(f"line {line}: {keyword} is not known here")
        elif stage is None:
            name, _, default = rest.partition("=")
            arguments[name] = default or None
        else:
            stage.steps.append(_step(keyword, rest, line))
    return arguments, stages


def _instructions(text: str) -> list[tuple[int, str]]:
    found, begun, start = [], "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not begun and (not line.strip() or line.lstrip().startswith("#")):
            continue
        start = start or number
        begun += line.rstrip("\\")
        if not line.endswith("\\"):
            found.append((start, begun.strip()))
            begun, start = "", 0
    return found


def _step(keyword: str, rest: str, line: int) -> Step:
    options = {}
    while found := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        options[found[1]] = found[2]
        rest = rest[found.end() :]
    if keyword == "HEALTHCHECK":
        rest = rest.removeprefix("CMD ")
    is_exec_form = rest.startswith("[")
    if is_exec_form:
        words = tuple(json.loads(rest))
    elif keyword == "RUN":
        words = (rest,)
    else:
        words = tuple(shlex.split(rest))
    return Step(keyword, words, options, is_exec_form, line)
