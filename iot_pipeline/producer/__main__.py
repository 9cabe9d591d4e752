"""`python -m iot_pipeline.producer send FILE.jsonl --producer NAME`: the messages of a file, to a producer's stream.

Credentials and region are those of the AWS SDK, as a rule of a profile that takes on the producer's role
(docs/producers.md). What is not on the stream when the command ends is in the spool, and goes out with the next one.
"""

import argparse
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from botocore.exceptions import BotoCoreError

from iot_pipeline.producer.client import Producer, ProducerError
from iot_pipeline.producer.encoding import Encoding, encoded
from iot_pipeline.producer.spool import Message, SpoolInUseError

# Lines that are spooled by one commit.
_TOGETHER = 500
# As the stacks name what has no environment's name (infra/stacks/config.py).
_ENVIRONMENT = "telemetry"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if every line of the file is on the stream."""
    options = _options(arguments)
    stream = options.stream or f"{options.environment}-producer-{options.producer}"
    refused: list[str] = []
    try:
        with options.file.open(encoding="utf-8") as file, _producer(stream, options, refused) as producer:
            if producer.spooled:
                print(f"{producer.spooled} messages of a former run are in the spool, and go first", file=sys.stderr)
            with _Progress(producer):
                _send(producer, file, refused)
                producer.flush()
    except (ProducerError, SpoolInUseError, OSError, UnicodeDecodeError, BotoCoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for text in refused[:20]:
        print(f"error: {text}", file=sys.stderr)
    if len(refused) > 20:
        print(f"error: and {len(refused) - 20} more", file=sys.stderr)
    return 1 if refused else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m iot_pipeline.producer", description="Sends telemetry to Kinesis.")
    commands = parser.add_subparsers(required=True)
    send = commands.add_parser("send", help="send a file: a telemetry message (JSON) a line")
    send.add_argument("file", type=Path, metavar="FILE.jsonl")
    send.add_argument("--producer", required=True, help="the producer's name in infra/environments.toml")
    send.add_argument("--environment", default=_ENVIRONMENT, help=f"the environment ({_ENVIRONMENT})")
    send.add_argument("--stream", help="the stream, if it is not called <environment>-producer-<producer>")
    send.add_argument("--spool", type=Path, default=Path(".spool"), help="folder of what is still to be sent (.spool)")
    send.add_argument("--encoding", type=Encoding, choices=list(Encoding), default=Encoding.GZIP, help="(gzip)")
    return parser.parse_args(arguments)


def _producer(stream: str, options: argparse.Namespace, refused: list[str]) -> Producer:
    def given_up(message: Message, code: str) -> None:
        refused.append(f"a message of {message.device} was not taken for a day ({code}); it is set aside in the spool")

    spool = options.spool / f"{options.producer}.db"
    return Producer(stream, spool, encoding=options.encoding, on_given_up=given_up)


def _send(producer: Producer, file: TextIO, refused: list[str]) -> None:
    """Spool the lines of a file; one that is no message costs itself alone."""
    together: list[tuple[str, bytes]] = []
    for number, line in enumerate(file, 1):
        try:
            for device, message in _messages(line):
                together.append((device, encoded(message, Encoding.NONE)))
        except ValueError as error:
            refused.append(f"{file.name}, line {number}: {error}")
        if len(together) >= _TOGETHER:
            producer.send_many(together)
            together = []
    producer.send_many(together)


def _messages(line: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not line.strip():
        return
    message = json.loads(line)
    device = message.get("device_id") if isinstance(message, dict) else None
    if not isinstance(device, str) or not device:
        raise ValueError("no telemetry message: expected a JSON object with a text `device_id`")
    yield device, message


class _Progress:
    """Tells once a second, on the error output, how far it is; and at the end."""

    def __init__(self, producer: Producer) -> None:
        self._producer, self._ended = producer, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()
        self._tell()

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            self._tell()

    def _tell(self) -> None:
        of = self._producer
        text = f"{of.acknowledged} messages on the stream, {of.spooled} in the spool, {of.repeated} records repeated"
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
