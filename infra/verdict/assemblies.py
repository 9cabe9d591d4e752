"""The cloud assemblies that the verdict is over, kept by content."""

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from infra.local.deploy.synth import run_app, source_digest
from infra.stacks.checks import Synthesised, read_assembly
from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment, environments
from infra.stacks.sizes import Size


def synthesised(state_dir: Path) -> dict[str, Synthesised]:
    """Every environment of environments.toml, by name; synthesised with cdk-nag if the sources have changed.

    Raises ValueError if a size has no environment: its templates would be nobody's. Raises DeployError with the app's
    error text.
    """
    configs = {name: environment(name) for name in environments()}
    if missing := set(Size) - {config.size for config in configs.values()}:
        raise ValueError(f"environments.toml has no environment of size {', '.join(sorted(missing))}: add one")
    folder = state_dir / f"judged-{source_digest()}"
    if not folder.is_dir():
        state_dir.mkdir(parents=True, exist_ok=True)
        for old in state_dir.glob("judged-*"):
            shutil.rmtree(old, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=state_dir, prefix="synth-") as scratch:
            made = run_app(Path(scratch), {}, "infra.verdict.judged_app", *configs)
            if not folder.is_dir():
                made.rename(folder)
    return {name: read_assembly(folder / name, config) for name, config in configs.items()}


def from_folder(folder: Path) -> Synthesised:
    """A cloud assembly that is there already, whose environment and size its tags say.

    Raises ValueError if the folder is no cloud assembly, or one of other stacks.
    """
    try:
        artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError(f"{folder} has no manifest.json: expected the folder of a cloud assembly") from error
    targets = [a["environment"] for a in artifacts.values() if a["type"] == "aws:cloudformation:stack"]
    if not targets:
        raise ValueError(f"{folder} holds no stack: expected the cloud assembly of an environment")
    target = targets[0]
    account, region = target.removeprefix("aws://").split("/")
    found = read_assembly(folder, PlatformConfig(account=account, region=region))
    tags = next(iter((found.tags or {}).values()), {})
    if not {"environment", "size"} <= tags.keys():
        raise ValueError(f"{folder}: no stack says its environment and size; this is not the platform's")
    listed = environment(tags["environment"])
    config = replace(listed, account=account, region=region, size=Size(tags["size"]))
    return replace(found, config=config)
