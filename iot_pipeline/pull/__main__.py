"""`python -m iot_pipeline.pull`."""

from iot_pipeline.pull_commands import app

if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.pull")
