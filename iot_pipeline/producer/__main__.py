"""`python -m iot_pipeline.producer send FILE.jsonl --producer NAME`: the messages of a file, to a producer's stream.

Credentials and region are those of the AWS SDK, as a rule of a profile that takes on the producer's role
(docs/producers.md). What is not on the stream when the command ends is in the spool, and goes out with the next one.
"""

import argparse
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.contract.json_text import parsed_within_depth
from iot_pipeline.producer.client import Producer, ProducerError, checked_device
from iot_pipeline.producer.encoding import Encoding, encoded
from iot_pipeline.producer.message_form import message_form
from iot_pipeline.producer.put import UNREACHED
from iot_pipeline.producer.spool import Message, SpoolInUseError

# Lines that are spooled by one commit.
_TOGETHER = 500
# Lines that were not sent of which each is told.
_SHOWN = 20
# A person waits; the library itself tries for a day.
_UNREACHED_SECONDS = 30.0
# As the stacks name what has no environment's name (infra/stacks/config.py).
_ENVIRONMENT = "telemetry"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    0 if every line of the file is on the stream, 1 if some could not be sent, 2 if it could not go on.
    """
    options = _options(arguments)
    stream = options.stream or f"{options.environment}-producer-{options.producer}"
    spool: Path = options.spool / f"{options.producer}.db"
    refused: list[str] = []
    try:
        with options.file.open("rb") as file, _producer(stream, spool, options.encoding, refused) as producer:
            if producer.spooled:
                print(f"{producer.spooled} messages of a former run are in the spool, and go first", file=sys.stderr)
            with _Progress(producer):
                _send(producer, file, refused)
                _flush(producer)
    except (ProducerError, SpoolInUseError, OSError, ImportError, BotoCoreError) as error:
        problem = _told(error, stream)
    except sqlite3.Error as error:
        problem = f"the spool {spool}: {error}"
    except KeyboardInterrupt:
        problem = "stopped; what is in the spool goes out with the next send"
    else:
        problem = ""
    for text in refused[:_SHOWN]:
        print(f"error: {text}", file=sys.stderr)
    if len(refused) > _SHOWN:
        print(f"error: and {len(refused) - _SHOWN} more", file=sys.stderr)
    if problem:
        print(f"error: {problem}", file=sys.stderr)
    return 2 if problem else 1 if refused else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m iot_pipeline.producer",
        description="Sends telemetry to Kinesis, as a producer without certificates (docs/producers.md).",
    )
    commands = parser.add_subparsers(required=True)
    send = commands.add_parser(
        "send",
        help="send a file: a telemetry message (JSON) a line",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Send a file: a telemetry message (JSON) a line. What is not on the stream when this ends is in\n"
        "the spool, and goes out first with the next send. 0 if every line is on the stream, 1 if a line was refused,\n"
        "2 if it could not go on.",
        epilog=message_form(),
    )
    send.add_argument("file", type=Path, metavar="FILE.jsonl", help="the messages; below is what a line says")
    send.add_argument("--producer", required=True, help="the producer's name in infra/environments.toml")
    send.add_argument("--environment", default=_ENVIRONMENT, help=f"the environment ({_ENVIRONMENT})")
    send.add_argument("--stream", help="the stream, if it is not called <environment>-producer-<producer>")
    send.add_argument("--spool", type=Path, default=Path(".spool"), help="folder of what is still to be sent (.spool)")
    send.add_argument(
        "--encoding",
        type=Encoding,
        choices=list(Encoding),
        default=Encoding.GZIP,
        help="how messages are compressed (gzip)",
    )
    return parser.parse_args(arguments)


def _producer(stream: str, spool: Path, encoding: Encoding, refused: list[str]) -> Producer:
    def given_up(message: Message, code: str) -> None:
        refused.append(f"a message of {message.device} was not taken for a day ({code}); it is set aside in the spool")

    return Producer(stream, spool, encoding=encoding, on_given_up=given_up)


def _send(producer: Producer, file: BinaryIO, refused: list[str]) -> None:
    """Spool the lines of a file, as they are; one that is no message costs itself alone."""
    together: list[tuple[str, bytes]] = []
    for number, line in enumerate(file, 1):
        message = line.strip()
        if not message:
            continue
        try:
            together.append((_device_of(message), encoded(message, Encoding.NONE)))
        except ValueError as error:
            refused.append(f"{file.name}, line {number}: {error}")
        if len(together) >= _TOGETHER:
            producer.send_many(together)
            together = []
    producer.send_many(together)


def _flush(producer: Producer) -> None:
    """Wait until everything is on the stream. Raises ProducerError, also where the stream cannot be reached at all."""
    while True:
        before = producer.acknowledged
        try:
            return producer.flush(_UNREACHED_SECONDS)
        except TimeoutError:
            if producer.acknowledged == before and producer.last_code == UNREACHED:
                raise ProducerError(
                    f"Kinesis has not answered for {_UNREACHED_SECONDS:g} s: see to the network, and to what the "
                    "environment says of AWS; what is in the spool goes out with the next send"
                ) from None


def _told(error: Exception, stream: str) -> str:
    """An error in a line, and what to do where its text does not say so."""
    if isinstance(error, FileNotFoundError):
        return f"{error.filename}: there is no such file"
    cause = error.__cause__
    if isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "ResourceNotFoundException":
        return (
            f"there is no stream {stream}: name a producer that the environment has (infra/environments.toml); "
            "the spool keeps what is left"
        )
    return str(error)


def _device_of(line: bytes) -> str:
    """The device of a message. Raises ValueError that says what was expected."""
    try:
        message = parsed_within_depth(line.decode())
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from error
    device = message.get("device_id") if isinstance(message, dict) else None
    if device is None:
        raise ValueError("no telemetry message: expected a JSON object with a text `device_id`")
    return checked_device(device)


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
        if of.repeated:
            text += f" (the last for {of.last_code})"
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
