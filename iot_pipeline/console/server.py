"""The process that serves the application."""

import uvicorn
from fastapi import FastAPI

from iot_pipeline.settings import Console

# Requests that are under way when the process is told to stop have so long; open event streams are cut off then.
STOP_SECONDS = 3


def serve(app: FastAPI, settings: Console) -> None:
    """Serve until SIGTERM or SIGINT."""
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
