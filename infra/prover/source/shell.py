"""The commands of a build: of its buildspec, of the shell scripts that it sources, and of the Makefile's targets.

As much of a shell as `.ci/delivery` is written in: assignments, `for` over words, pipes, tests, command substitutions.
A variable stands for every value that it is given; what a program prints is not known (`UNKNOWN`).
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import yaml

from infra.prover.source.code import REPOSITORY

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_KEYWORDS = ("if", "then", "else", "elif", "while", "do", "!", "{", "}", "export")
_ENDS = ("fi", "done", "esac")
_BETWEEN = ";|&()<>"
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)[^}]*\})")
_RECIPE = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the file that it stands in."""

    words: tuple[str, ...]
    file: str


@dataclass
class Shell:
    """Reads commands; `variables` holds each name's values, those of the build's own environment to begin with."""

    variables: dict[str, tuple[str, ...]]
    commands: list[Command] = field(default_factory=list)

    def run(self, text: str, file: str) -> None:
        """Read a script or a line of one. Raises ValueError for a quote that is not closed."""
        bare = text.replace("\\\n", " ")
        for line in bare.splitlines():
            if not line.lstrip().startswith("#"):
                self._line(line, file)

    def _line(self, line: str, file: str) -> None:
        line = self._substituted(line, file)
        reader = shlex.shlex(line, posix=True, punctuation_chars=_BETWEEN)
        reader.whitespace_split = True
        words: list[str] = []
        for word in [*reader, ";"]:
            if not word or any(letter not in _BETWEEN for letter in word):
                words.append(word)
            elif set(word) <= set("<>&") and word not in ("&", "&&"):
                # A redirection's number and file are no words of the command's.
                words.append("\0")
            else:
                # A pattern of `case` ends with a bracket.
                if ")" not in word:
                    self._command(_without_redirections(words), file)
                words = []

    def _substituted(self, line: str, file: str) -> str:
        """A line in which what commands print is unknown; these commands are read as well."""
        while (start := line.find("$(")) >= 0:
            depth, end = 1, start + 2
            while depth:
                if end == len(line):
                    raise ValueError(f"{file}: `$(` without its end: {line}")
                depth += {"(": 1, ")": -1}.get(line[end], 0)
                end += 1
            self._line(line[start + 2 : end - 1], file)
            line = line[:start] + UNKNOWN + line[end:]
        return line

    def _command(self, words: list[str], file: str) -> None:
        while words and words[0] in _KEYWORDS:
            words = words[1:]
        if not words or words[0] in _ENDS or words[0] == "case":
            return
        if words[0] == "for":
            name, _, *among = words[1:]
            self.variables[name] = tuple(part for word in among for each in self._values(word) for part in each.split())
            return
        while words and (assigned := _ASSIGNED.fullmatch(words[0])):
            name, value = assigned.groups()
            self.variables[name] = tuple(dict.fromkeys((*self.variables.get(name, ()), *self._values(value))))
            words = words[1:]
        if words[:1] == ["."]:
            self.run((REPOSITORY / words[1]).read_text(encoding="utf-8"), words[1])
        elif words:
            self.commands += [Command(one, file) for one in product(*(self._values(word) for word in words))]

    def _values(self, word: str) -> tuple[str, ...]:
        names = list(dict.fromkeys(one or other for one, other in _VARIABLE.findall(word)))
        found = []
        for values in product(*(self.variables.get(name, (UNKNOWN,)) for name in names)):
            told = dict(zip(names, values, strict=True))
            found.append(_with_values(word, told))
        return tuple(dict.fromkeys(found))


def _with_values(word: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1] or match[2]], word)


def build_commands(buildspec: str, variables: Mapping[str, str]) -> tuple[list[Command], Mapping[str, tuple[str, ...]]]:
    """The commands of a buildspec by its path in the repository, those of Make's targets in place of `make`, and its
    variables with all their values.

    Raises ValueError if it is no buildspec, or names a target that the Makefile does not have.
    """
    read: Any = yaml.safe_load((REPOSITORY / buildspec).read_text(encoding="utf-8"))
    if not isinstance(read, dict) or "phases" not in read:
        raise ValueError(f"{buildspec} is no buildspec: expected a mapping with `phases`")
    shell = Shell({name: (value,) for name, value in variables.items()})
    for phase in read["phases"].values():
        for line in phase["commands"]:
            shell.run(line, buildspec)
    return [each for command in shell.commands for each in _of_make(command)], shell.variables


def _of_make(command: Command) -> Iterator[Command]:
    if command.words[0] != "make":
        yield command
        return
    given = {found[1]: found[2] for word in command.words[1:] if (found := _ASSIGNED.fullmatch(word))}
    targets = [word for word in command.words[1:] if not _ASSIGNED.fullmatch(word)]
    for target in targets:
        shell = Shell({})
        for line in recipe(target):
            shell.run(_RECIPE.sub(lambda match: given.get(match[1], UNKNOWN), line), f"Makefile, {target}")
        yield from shell.commands


def recipe(target: str) -> Sequence[str]:
    """The lines of a target's recipe, without `$(BIN)` and what it only says under a condition.

    Raises ValueError for a target that there is none of.
    """
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    text = text.replace("$(VENV)/.ready", ".venv/.ready").replace("$(READY):", ".venv/.ready:")
    found = re.search(rf"^{re.escape(target)}:[^\n]*\n((?:\t[^\n]*\n?)*)", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"make {target}: the Makefile has no such target")
    lines = found[1].replace("\\\n", " ").splitlines()
    return [re.sub(r"\$\(if .*\)$", "", line.strip().removeprefix("@").replace("$(BIN)/", "")) for line in lines]


def _without_redirections(words: list[str]) -> list[str]:
    kept: list[str] = []
    place = 0
    while place < len(words):
        if words[place] == "\0":
            if kept and kept[-1].isdigit():
                kept.pop()
            place += 2
        else:
            kept.append(words[place])
            place += 1
    return kept
