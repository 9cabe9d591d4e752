"""What a statement leaves in S3 beside its tables: result objects, their metadata, data manifests."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from infra.local.athena.errors import QueryError
from infra.local.athena.queries import results
from infra.local.athena.queries.execution import Execution
from infra.local.athena.queries.results import ResultFile, TextResult
from infra.local.athena.reading.objects import ObjectStore


class Outputs:
    """Puts results where an execution's output location says, and keeps rows for paging."""

    def __init__(self, store: ObjectStore, state_dir: Path) -> None:
        self._store = store
        self._scratch, self._pages = state_dir / "tmp", state_dir / "results"
        for folder in (self._scratch, self._pages):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def scratch(self) -> Path:
        """The folder for files of a statement that runs."""
        return self._scratch

    def write_rows(self, execution: Execution, names: list[str], batches: Iterator[pa.RecordBatch]) -> None:
        """Write a query's rows, as text, for paging and into the CSV that `put_rows` puts."""
        rows = ResultFile(self._pages / f"{execution.id}.arrow", names, header=True)
        rows.write(batches, self._csv(execution))
        execution.rows = rows

    def put_rows(self, execution: Execution) -> None:
        """Put the CSV of a query's rows, and their metadata."""
        csv = self._csv(execution)
        execution.has_result = True
        self._store.put(csv.read_bytes(), execution.output)
        self._store.put(results.metadata_bytes(execution.columns), execution.output + ".metadata")
        csv.unlink()

    def put_text(self, execution: Execution, names: list[str], rows: list[list[str]]) -> None:
        """Results of DDL: a text object, tab separated."""
        execution.output = execution.output.removesuffix(".csv") + ".txt"
        execution.columns = results.text_info(names)
        execution.rows, execution.has_result = TextResult(rows), True
        body = "\n".join("\t".join(row) for row in rows).encode()
        self._store.put(body, execution.output)
        self._store.put(results.metadata_bytes(execution.columns), execution.output + ".metadata")

    def put_manifest(self, execution: Execution, uris: list[str]) -> None:
        """The list of the files that a statement wrote (Athena user guide, "Work with query results")."""
        execution.manifest = execution.output.removesuffix(".csv") + "-manifest.csv"
        self._store.put("\n".join(uris).encode(), execution.manifest)

    def refuse_existing(self, location: str, name: str) -> None:
        """QueryError if there are objects where a new table's files would go."""
        if self._store.listing(location):
            raise QueryError(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{name}' already exists: {location}. "
                "You may need to manually clean the data at location before retrying."
            )

    def _csv(self, execution: Execution) -> Path:
        return self._scratch / f"{execution.id}.csv"


def default_location(execution: Execution) -> str:
    """Where a new table lies that is told no location of its own."""
    return f"{execution.output.rsplit('/', 1)[0]}/tables/{execution.id}"
