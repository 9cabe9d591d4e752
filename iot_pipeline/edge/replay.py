"""Dead letters, tried again: each source by its own way, and only then removed, so that a crash loses nothing.

A crash between the two replays a letter twice. That changes nothing: a reading that reaches the lake twice is a
duplicate, the latest values only ever move forward, and a notification keeps its id.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from iot_pipeline.alerting.channels.channel_letters import Letters
from iot_pipeline.alerting.channels.channel_letters import letter as new_letter
from iot_pipeline.alerting.channels.message import Message
from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.batch import by_device, records_of, refold
from iot_pipeline.edge.dead_letters import (
    DeadLetter,
    DeadLetterError,
    DeadLetters,
    event_of,
    lines_of_firehose,
    lines_of_rule_error,
)
from iot_pipeline.edge.environment import contract
from iot_pipeline.edge.state_store import StateConflictError, StateStore

# Kinesis API, PutRecords: at most 500 records a call.
_RECORDS = 500


class Replayer:
    """Replays dead letters."""

    def __init__(
        self,
        letters: DeadLetters,
        states: StateStore,
        channel_letters: Letters,
        clients: Any,
        stream: str,
        rules: RuleSet,
    ) -> None:
        """`clients` gives a boto3 client by its service's name."""
        self._letters, self._states, self._channel_letters, self._clients = letters, states, channel_letters, clients
        self._stream, self._rules = stream, rules
        self._judge = Judge(contract())
        self._ways: dict[str, Callable[[DeadLetter], None]] = {
            "rule": lambda letter: self._put(lines_of_rule_error(letter)),
            "firehose": lambda letter: self._put(lines_of_firehose(letter)),
            "edge": self._handle,
            "invocation": self._invoke,
            "notification": self._publish,
        }

    def run(self, source: str, only: str | None = None, limit: int = 1000) -> Iterator[tuple[DeadLetter, str]]:
        """Replay the letters of a source, or the one of an id; each with what became of it: `replayed`, or why not.

        What cannot be replayed stays where it is. Raises DeadLetterError for an unknown source, botocore's errors if
        AWS refuses.
        """
        for letter in self._letters.list(source, limit):
            if only is not None and letter.id != only:
                continue
            try:
                self._ways[source](letter)
            except DeadLetterError as error:
                yield letter, str(error)
                continue
            self._letters.remove(letter)
            yield letter, "replayed"

    def _put(self, lines: list[tuple[str, bytes]]) -> None:
        kinesis = self._clients("kinesis")
        for begin in range(0, len(lines), _RECORDS):
            records = [{"Data": line, "PartitionKey": device} for device, line in lines[begin : begin + _RECORDS]]
            answer = kinesis.put_records(StreamName=self._stream, Records=records)
            if answer["FailedRecordCount"]:
                raise DeadLetterError(f"Kinesis refused {answer['FailedRecordCount']} of {len(records)} records")

    def _handle(self, letter: DeadLetter) -> None:
        groups = by_device(records_of(event_of(letter), self._judge))
        for state in self._states.load(groups).values():
            changes = refold(state, groups[state.device], self._rules)
            try:
                self._states.save(state, changes, int(time.time() * 1000))
            except StateConflictError as error:
                raise DeadLetterError(f"{error}; replay it again") from error

    def _invoke(self, letter: DeadLetter) -> None:
        held = json.loads(letter.body)
        function = held.get("requestContext", {}).get("functionArn")
        # What a schedule could not call has been called since, for it is called every minute.
        if function is not None:
            payload = json.dumps(held.get("requestPayload", {})).encode()
            self._clients("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload)

    def _revive(self, held: dict[str, Any]) -> None:
        """A channel would not take it: it waits again, and is sent within a minute to the channel as it is by then."""
        again = Message.decode(held["message"])
        self._channel_letters.revive(new_letter(held["channel"], again, held["episodes"], int(time.time() * 1000)))

    def _publish(self, letter: DeadLetter) -> None:
        try:
            held = json.loads(letter.body)
            if "letter" in held:
                self._revive(held)
                return
            topic, message = held["TopicArn"], held["Message"]
        except (ValueError, KeyError, TypeError) as error:
            raise DeadLetterError(f"notification {letter.id}: this is no message of SNS: {error}") from error
        attributes = {
            name: {"DataType": each["Type"], "StringValue": each["Value"]}
            for name, each in held.get("MessageAttributes", {}).items()
        }
        self._clients("sns").publish(
            TopicArn=topic, Message=message, Subject=held.get("Subject") or "replayed", MessageAttributes=attributes
        )
