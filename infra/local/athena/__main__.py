"""python -m infra.local.athena: the local Athena, until SIGTERM or SIGINT."""

import argparse
import json
import logging
import os
import shutil
import signal
import threading
from pathlib import Path

from infra.local.athena.api import Api
from infra.local.athena.caller_identity import Callers
from infra.local.athena.config import Config
from infra.local.athena.execute import Statements
from infra.local.athena.queries.executions import Executions
from infra.local.athena.queries.workgroups import WorkGroups
from infra.local.athena.server import Server
from infra.local.servers.freed_memory import give_back_freed_memory


def main() -> None:
    """Start the server, say where it listens, stop cleanly when told to."""
    options = _parser().parse_args()
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for folder in ("tmp", "spill", "results", "cache", "clean"):
        shutil.rmtree(options.state_dir / folder, ignore_errors=True)
    config = Config(
        state_dir=options.state_dir.resolve(),
        endpoint_url=options.endpoint_url,
        s3_data_dir=options.s3_data_dir.resolve() if options.s3_data_dir else None,
        memory_limit=options.memory_limit,
        threads=options.threads,
        cache_bytes=options.cache_mb << 20,
        trino_url=options.trino_url,
        shortcuts=options.shortcuts,
    )
    statements = Statements(config)
    executions = Executions(statements, config.state_dir / "results" / "executions.sqlite")
    api = Api(WorkGroups(config), statements, executions)
    server = Server(options.port, api.operations(), api.resources, Callers(config.endpoint_url))
    port = server.server_address[1]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"Athena listens on http://127.0.0.1:{port}", flush=True)
    if options.ready_file:
        partial = options.ready_file.with_suffix(".part")
        partial.write_text(json.dumps({"port": port, "pid": os.getpid()}))
        partial.replace(options.ready_file)
    give_back_freed_memory()
    server.serve_forever()
    executions.shutdown()
    server.server_close()


def _parser() -> argparse.ArgumentParser:
    environment = os.environ
    parser = argparse.ArgumentParser(prog="python -m infra.local.athena", description="Athena's API over DuckDB.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, which is printed")
    parser.add_argument("--ready-file", type=Path, help="written (JSON: port, pid) once the server listens")
    parser.add_argument("--state-dir", type=Path, default=Path(".local/athena"), help="spill, scratch, results, cache")
    parser.add_argument(
        "--s3-data-dir", type=Path, help="the emulator's S3_DATA_DIR: objects are read from it directly"
    )
    parser.add_argument("--memory-limit", default=Config.memory_limit, help="DuckDB's memory limit; beyond it spills")
    parser.add_argument("--trino-url", help="a Trino server that runs the statements in place of DuckDB")
    parser.add_argument("--threads", type=int, default=2, help="DuckDB's threads")
    parser.add_argument("--cache-mb", type=int, default=2048, help="bound of the object cache without --s3-data-dir")
    parser.add_argument(
        "--shortcuts",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="rewrite statements to run faster; results are the same",
    )
    parser.add_argument("--log-level", default="WARNING")
    parser.add_argument("--endpoint-url", default=environment.get("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"))
    return parser


if __name__ == "__main__":
    main()
