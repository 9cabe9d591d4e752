"""The command line of the registry; importing this package registers its commands."""

from iot_pipeline.registry.commands import admission, device_history, holds, setup
from iot_pipeline.registry.commands.app import app

__all__ = ["admission", "app", "device_history", "holds", "setup"]
