"""Executing a Dockerfile's steps without Docker, as far as they can be."""

import fnmatch
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from string import Template

from iot_pipeline_tests.support.image.dockerfile import DockerfileError, Stage, Step
from iot_pipeline_tests.support.image.root import Image, bare


class Builder:
    """Builds the stages of one Dockerfile below `folder`, each once, from a context and its .dockerignore."""

    def __init__(self, stages: Mapping[str, Stage], context: Path, folder: Path) -> None:
        self.stages, self.context, self.folder = stages, context, folder
        self.ignored = _patterns((context / ".dockerignore").read_text())
        self.made: dict[str, Image] = {}
        self.skipped: list[str] = []
        """What was not executed, each with its reason."""

    def target(self, name: str) -> Image:
        """A stage's image, with the stages that it needs. Raises CalledProcessError where a step fails."""
        if name not in self.made:
            stage, root = self.stages[name], self.folder / name
            image = self.target(stage.base).copied(root) if stage.base in self.stages else bare(root)
            for step in stage.steps:
                image = self._execute(image, step)
            self.made[name] = image
        return self.made[name]

    def is_left_out(self, path: str) -> bool:
        """Whether the context is without a path: the last pattern that fits it or a folder above it says so."""
        parts = Path(path).parts
        above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
        decided = False
        for pattern, is_kept in self.ignored:
            if any(pattern.fullmatch(each) for each in above):
                decided = not is_kept
        return decided

    def _execute(self, image: Image, step: Step) -> Image:
        words = tuple(Template(word).safe_substitute(image.environment) for word in step.words)
        match step.keyword:
            case "RUN":
                image.build(words if step.is_exec_form else ["sh", "-c", step.words[0]])
            case "COPY":
                self._copy(image, words, step.options)
            case "ADD":
                self.skipped.append(f"line {step.line}: ADD {words[0]}: nothing is fetched from there here")
            case "ENV":
                return replace(image, environment={**image.environment, **dict(word.split("=", 1) for word in words)})
            case "WORKDIR":
                image.path(words[0]).mkdir(parents=True, exist_ok=True)
                return replace(image, folder=words[0])
            case "USER":
                return replace(image, user=words[0])
            case "CMD":
                return replace(image, command=words)
            case "ARG" | "EXPOSE" | "HEALTHCHECK" | "VOLUME":
                pass
            case _:
                raise DockerfileError(f"line {step.line}: {step.keyword} cannot be executed")
        return image

    def _copy(self, image: Image, words: tuple[str, ...], options: Mapping[str, str]) -> None:
        *sources, place = words
        if "from" in options:
            (source,) = sources
            target = image.path(place)
            subprocess.run(
                ["cp", "--archive", "--link", str(self.target(options["from"]).path(source)), str(target)], check=True
            )
            return
        for source in sources:
            found = self.context / source
            target = image.path(place) / found.name if place.endswith("/") else image.path(place)
            if self.is_left_out(source):
                raise DockerfileError(f"COPY {source}: .dockerignore leaves it out")
            target.parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir():
                shutil.copytree(found, target, ignore=self._left_out, dirs_exist_ok=True)
            else:
                shutil.copyfile(found, target)

    def _left_out(self, folder: str, names: list[str]) -> set[str]:
        inside = Path(folder).relative_to(self.context)
        return {name for name in names if self.is_left_out(str(inside / name))}


def _patterns(text: str) -> list[tuple[re.Pattern[str], bool]]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = []
    for line in lines:
        pattern = line.removeprefix("!")
        translated = fnmatch.translate(pattern.removeprefix("**/"))
        found.append((re.compile(f"(.*/)?{translated}" if pattern.startswith("**/") else translated), line[0] == "!"))
    return found
