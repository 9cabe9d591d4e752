"""`python -m iot_pipeline.bulk_import`."""

from iot_pipeline.bulk_import_commands import app

if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.bulk_import")
