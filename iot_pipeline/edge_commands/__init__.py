"""The command line of the edge; importing this package registers its commands."""

from iot_pipeline.edge_commands import alerts, channels, letters, rebuild, rules, verify
from iot_pipeline.edge_commands.app import app

__all__ = ["alerts", "app", "channels", "letters", "rebuild", "rules", "verify"]
