"""How far each event source mapping has read each shard, on disk."""

import json
import threading
from pathlib import Path


class Checkpoints:
    """The last sequence number each mapping has done with in each shard, on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, mapping_id: str) -> Path:
        return self._folder / f"{mapping_id}.json"

    def load(self, mapping_id: str) -> dict[str, str]:
        """By shard id; empty for a mapping without a checkpoint."""
        path = self._path(mapping_id)
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def save(self, mapping_id: str, positions: dict[str, str]) -> None:
        """Merge positions by shard into the mapping's file, atomically."""
        with self._lock:
            temporary = self._path(mapping_id).with_suffix(".tmp")
            temporary.write_text(json.dumps(self.load(mapping_id) | positions))
            temporary.replace(self._path(mapping_id))

    def remove(self, mapping_id: str) -> None:
        """Forget a deleted mapping."""
        self._path(mapping_id).unlink(missing_ok=True)
