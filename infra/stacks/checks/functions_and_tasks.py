"""Code that runs: on runtimes that are patched, within bounds, as nobody in particular."""

import re

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised, listed, text

# The oldest of each family that AWS patches beyond 2027 (AWS Lambda guide, "Lambda runtimes", deprecation dates).
_OLDEST = {"python": (3, 12), "nodejs": (22, 0)}
_RUNTIME = re.compile(r"([a-z]+)(\d+)(?:\.(\d+|x))?")


def runtimes_are_patched(environment: Synthesised) -> Problems:
    """A deprecated runtime gets no security updates any more."""
    for function in environment.of_type("AWS::Lambda::Function"):
        runtime = str(function.properties.get("Runtime", ""))
        if function.properties.get("PackageType") == "Image":
            continue
        parsed = _RUNTIME.fullmatch(runtime)
        oldest = _OLDEST.get(parsed[1]) if parsed else None
        if parsed is None or oldest is None:
            yield function, f"runs on {runtime or 'no runtime'}: expected one of {', '.join(_OLDEST)}"
        elif (int(parsed[2]), int(parsed[3]) if (parsed[3] or "x") != "x" else 0) < oldest:
            yield function, f"runs on {runtime}, older than {'.'.join(map(str, oldest))}"


def functions_are_bounded(environment: Synthesised) -> Problems:
    """A function says for how long it runs; Lambda's own default, three seconds, is nobody's decision."""
    for function in environment.of_type("AWS::Lambda::Function"):
        if not function.properties.get("Timeout"):
            yield function, "has no Timeout"


def containers_are_confined(environment: Synthesised) -> Problems:
    """Non-root, a read-only root, pinned images, and a log (Amazon ECS guide, "Task and container security")."""
    for task in environment.of_type("AWS::ECS::TaskDefinition"):
        for container in listed(task.properties.get("ContainerDefinitions")):
            name = container.get("Name")
            if container.get("ReadonlyRootFilesystem") is not True:
                yield task, f"{name} can write its root (ReadonlyRootFilesystem)"
            if container.get("Privileged"):
                yield task, f"{name} is privileged"
            if str(container.get("User", "")) in ("0", "root"):
                yield task, f"{name} runs as root"
            if text(container.get("Image", "")).endswith(":latest"):
                yield task, f"{name} runs whatever is the latest image"
            if "LogConfiguration" not in container:
                yield task, f"{name} has no log"
    for repository in environment.of_type("AWS::ECR::Repository"):
        if repository.properties.get("ImageTagMutability") != "IMMUTABLE":
            yield repository, "lets a tag move to another image (ImageTagMutability)"


def builds_are_not_privileged(environment: Synthesised) -> Problems:
    """A privileged build may do what its host may; Docker needs it, and says so where it is."""
    for project in environment.of_type("AWS::CodeBuild::Project"):
        if project.properties.get("Environment", {}).get("PrivilegedMode"):
            yield project, "runs privileged (Environment.PrivilegedMode)"
