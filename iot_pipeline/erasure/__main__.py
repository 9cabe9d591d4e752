"""`python -m iot_pipeline.erasure`."""

from iot_pipeline.erasure_commands import app

if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.erasure")
