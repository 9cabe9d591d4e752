"""Having a process's children tell which AWS calls they make, for `make prove-record`."""

import os
from pathlib import Path

# As in sitecustomize.py, which imports nothing of ours.
FOLDER = "RECORDED_CALLS"


def recording_environment() -> dict[str, str]:
    """What a child process needs in its environment to record its calls; nothing unless this process's are recorded."""
    return {"PYTHONPATH": str(Path(__file__).parent)} if os.environ.get(FOLDER) else {}
