"""`python -m iot_pipeline.edge`."""

from iot_pipeline.edge_commands import app

if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.edge")
