"""`python -m iot_pipeline.backfill`."""

from iot_pipeline.backfill_commands import app

if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.backfill")
