"""Where in Dagster's UI a person looks; nothing if this deployment does not say where that is."""

from iot_pipeline.settings import deployment


def asset_link(name: str) -> str:
    """A line with the address of an asset, by its name as users write it."""
    return _line(f"assets/{name}")


def run_link(run_id: str) -> str:
    """A line with the address of a run."""
    return _line(f"runs/{run_id}")


def _line(path: str) -> str:
    where = deployment().dagster_url
    return f"\n{where.rstrip('/')}/{path}" if where else ""
