"""python -m infra.local.redshift: the local Redshift in front of a PostgreSQL, until SIGTERM or SIGINT."""

import argparse
import asyncio
import json
import logging
import os
import signal
from pathlib import Path

from infra.local.redshift.server import Server
from infra.local.servers.freed_memory import give_back_freed_memory
from infra.local.servers.loopback import HOST


def main() -> None:
    """Start the server, say where it listens, stop when told to: open connections are cut, PostgreSQL rolls back."""
    options = _parser().parse_args()
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    give_back_freed_memory()
    asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    server = Server(options.postgres_port)
    listening = await server.listen(options.port)
    port = listening.sockets[0].getsockname()[1]
    print(f"Redshift listens on {HOST}:{port}", flush=True)
    if options.ready_file:
        partial = options.ready_file.with_suffix(".part")
        partial.write_text(json.dumps({"port": port, "pid": os.getpid()}))
        partial.replace(options.ready_file)
    await told.wait()
    listening.close()
    server.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.redshift", description="Redshift over PostgreSQL.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, which is printed")
    parser.add_argument("--postgres-port", type=int, required=True, help="of the PostgreSQL on 127.0.0.1")
    parser.add_argument("--ready-file", type=Path, help="written (JSON: port, pid) once the server listens")
    parser.add_argument("--log-level", default="WARNING")
    return parser


if __name__ == "__main__":
    main()
