"""`python -m iot_pipeline.contract`."""

from iot_pipeline.contract_commands.app import app

if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.contract")
