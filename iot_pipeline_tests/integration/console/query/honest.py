"""What honest analysts ask, one query a line: each gives through the guard what it gives without it."""

from pathlib import Path

HONEST = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").splitlines()
