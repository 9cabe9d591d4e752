"""`python -m iot_pipeline.registry`."""

from iot_pipeline.registry.commands import app

if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.registry")
