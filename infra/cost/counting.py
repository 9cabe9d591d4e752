"""Counting in stacks that are synthesised for it. Apart, because the CDK takes seconds to import."""

from pathlib import Path

from infra.cost.counted import Counts, count, templates
from infra.stacks.assembly import build
from infra.stacks.config import PlatformConfig


def synthesised(config: PlatformConfig, folder: Path) -> Counts:
    """Synthesise an environment's stacks into a folder, which takes some 20 s, and count in them."""
    build(folder, config).synth()
    return count(templates(folder))
