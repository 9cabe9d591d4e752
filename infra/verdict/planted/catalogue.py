"""All mistakes that are planted."""

from infra.verdict.planted import (
    assembly_mistakes,
    code_mistakes,
    device_mistakes,
    keeping_mistakes,
    network_mistakes,
    outsider_mistakes,
    role_mistakes,
    storage_mistakes,
    table_mistakes,
)
from infra.verdict.planted.mistake import Mistake

MISTAKES: tuple[Mistake, ...] = (
    *outsider_mistakes.MISTAKES,
    *role_mistakes.MISTAKES,
    *device_mistakes.MISTAKES,
    *storage_mistakes.MISTAKES,
    *keeping_mistakes.MISTAKES,
    *network_mistakes.MISTAKES,
    *table_mistakes.MISTAKES,
    *code_mistakes.MISTAKES,
    *assembly_mistakes.MISTAKES,
)
