"""Arguments and options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.plan import MAX_PACK

FleetFolder = Annotated[
    Path, typer.Argument(help="Folder of the fleet: fleet.json, and devices/ with keys and certificates.")
]
EndpointOption = Annotated[
    str, typer.Option("--endpoint", envvar="SIMULATOR_ENDPOINT", help="MQTT endpoint, host:port; port 8883 by default.")
]
CaOption = Annotated[
    Path, typer.Option("--ca", envvar="SIMULATOR_CA", help="CA that signed the broker's certificate (PEM).")
]
TopicRootOption = Annotated[
    str, typer.Option(envvar="IOT_TOPIC_ROOT", help="First level of the topics; each environment has its own.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for outbox, manifest and summary.json.  [default: FLEET/out]")
]
PackOption = Annotated[int, typer.Option(min=1, max=MAX_PACK, help="Readings in a message, at most.")]
DrainOption = Annotated[
    str, typer.Option("--drain-timeout", help="Give up when no answer came for so long though messages are due.")
]
InflightOption = Annotated[int, typer.Option(min=1, help="Unanswered messages of the whole fleet, at most.")]
