"""`python -m iot_pipeline.registry`."""

from iot_pipeline.registry.commands import app

app(prog_name="python -m iot_pipeline.registry")
