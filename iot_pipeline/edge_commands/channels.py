"""Channels: by what ways people are told of alerts, which document says so, and whether one works."""

import difflib
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from iot_pipeline.alerting.channels.document import (
    DEVICE_ALERTS,
    PIPELINE_ALERTS,
    Channel,
    ChannelKind,
    ChannelsError,
    Document,
    parsed,
)
from iot_pipeline.alerting.channels.message import Message
from iot_pipeline.alerting.channels.senders import Outcome, Result, sender
from iot_pipeline.alerting.channels.wall_clock import QuietHours
from iot_pipeline.alerting.episodes import iso
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.rule_kinds import KINDS
from iot_pipeline.command_line import err, fail, out, table_of
from iot_pipeline.connections.edge import channels_secret, open_channels, open_topics, write_channels
from iot_pipeline.defs.pipeline_alerts.kinds import KINDS as PIPELINE_KINDS
from iot_pipeline.edge_commands.app import app, explained

channels_app = typer.Typer(
    invoke_without_command=True,
    help="""The channels by which people are told of alerts of devices and of the pipeline; alone, it lists them.

They are one JSON document in the secret that IOT_CHANNELS_SECRET names. While it is empty, the SNS topics alone are
told. Write it to a file, then `channels check FILE`, `channels set FILE`, and `channels test NAME`:

```
{"runbook": "https://git.example/iot_pipeline/docs",
 "channels": [
   {"name": "mail", "kind": "sns"},
   {"name": "ops", "kind": "slack", "address": "https://hooks.slack.com/services/...",
    "minimum_severity": "warning", "alerts": ["pipeline", "site_silence"],
    "quiet_hours": {"zone": "Europe/Zurich", "from": "22:00", "to": "06:30", "breaks_through": "critical"},
    "digest": {"zone": "Europe/Zurich", "at": "08:00"}},
   {"name": "field", "kind": "teams", "address": "https://...", "alerts": ["device"]},
   {"name": "on-call", "kind": "pagerduty", "routing_key": "...", "minimum_severity": "critical"}]}
```

Name and kind are needed, and what the kind needs; the rest may be left out: `minimum_severity` is `warning`, `alerts`
is `["device", "pipeline"]` and takes kinds by name too, `breaks_through` is `critical` (or `warning`, or `nothing`).
What quiet hours hold back is told, grouped, when they end. A digest tells once a day what opened, was resolved and is
still open.
""",
)
app.add_typer(channels_app, name="channels")
FileArgument = Annotated[
    Path, typer.Argument(help="The document, as JSON.", exists=True, dir_okay=False, readable=True, metavar="FILE")
]
NameArgument = Annotated[str, typer.Argument(help="The channel's name.", metavar="NAME")]


@channels_app.callback()
def channels(context: typer.Context) -> None:
    """List the channels in force; addresses and keys are masked."""
    if context.invoked_subcommand is not None:
        return
    with explained():
        document = _in_force()
        if document is None:
            out.print(f"The secret {channels_secret()} is empty: the SNS topics alone are told.", soft_wrap=True)
            return
    _show(document)


@channels_app.command()
def check(file: FileArgument) -> None:
    """Say what is wrong with a document, all of it at once, or show what it means. Nothing is written or sent.

    `channels check channels.json`
    """
    with explained():
        _show(_read(file))


@channels_app.command("set")
def set_channels(file: FileArgument) -> None:
    """Check a document and write it into the secret; the functions have it within a minute.

    The version before stays in Secrets Manager (AWSPREVIOUS). `channels set channels.json`
    """
    with explained():
        document = _read(file)
        write_channels(file.read_text(encoding="utf-8"))
    _show(document)
    out.print(f"written to {channels_secret()}", soft_wrap=True)


@channels_app.command("test")
def try_channel(
    name: NameArgument,
    file: Annotated[
        Path | None, typer.Option("--file", help="Of this document, not of the one in force.", exists=True)
    ] = None,
) -> None:
    """Send a test message to one channel, now, whatever its hours and severity, and say what it answered.

    To PagerDuty an incident is opened, and resolved at once. `channels test ops`
    """
    with explained():
        document = _read(file) if file is not None else _in_force()
        channel = document.channel(name) if document is not None else None
        if channel is None:
            known = ", ".join(each.name for each in document.channels) if document is not None else "none yet"
            raise ValueError(f"no channel is called {name!r}; there are: {known}")
        outcome = _tested(channel)
    if outcome.result is not Result.SENT:
        fail(f"{name}: {outcome.reason}", RuntimeError(outcome.reason))
    out.print(f"{name}: it took the message")


def _tested(channel: Channel) -> Outcome:
    send, told = sender(open_topics()), _test_message()
    outcome = send(channel, told)
    if channel.kind is ChannelKind.PAGERDUTY and outcome.result is Result.SENT:
        return send(channel, replace(told, what="resolved"))
    return outcome


def _test_message() -> Message:
    now, name = iso(time.time_ns() // 1_000_000), f"test-{uuid.uuid4().hex}"
    text = "Somebody tries this channel: nothing is wrong, and nothing is to be done."
    data = {"id": name, "what": "test", "severity": Severity.WARNING.label, "tenant": "all", "rule": "test"}
    return Message(
        id=name,
        what="test",
        severity=Severity.WARNING.label,
        title="[test] a message from iot_pipeline",
        facts=(("What", text), ("Sent", now)),
        source="iot_pipeline",
        rule="test",
        since=now,
        episode=name,
        text=text,
        data=data,
    )


def _in_force() -> Document | None:
    source = open_channels()
    document = source.current()
    if source.is_broken:
        err.print("What was last written cannot be taken; this is the version before, which is in force.")
    return document


def _read(file: Path) -> Document:
    try:
        document = parsed(file.read_text(encoding="utf-8"))
    except ChannelsError as error:
        _refuse(error)
    faults = [fault for channel in document.channels for fault in _unknown_kinds(channel)]
    if faults:
        _refuse(ChannelsError(faults))
    return document


def _refuse(error: ChannelsError) -> NoReturn:
    for fault in error.faults[:-1]:
        err.print(f"error: {fault}", markup=False, soft_wrap=True)
    fail(error.faults[-1], error)


def _unknown_kinds(channel: Channel) -> list[str]:
    """Names that no alert has. The functions take them: they may be of another release."""
    known = sorted({DEVICE_ALERTS, PIPELINE_ALERTS, *KINDS, *PIPELINE_KINDS})
    unknown = sorted(channel.alerts - set(known))
    near = [difflib.get_close_matches(each, known, 1) for each in unknown]
    return [
        f"channel {channel.name!r}: `alerts` has {each!r}, expected some of {', '.join(known)}"
        + (f"; did you mean {found[0]}?" if found else "")
        for each, found in zip(unknown, near, strict=True)
    ]


def _show(document: Document) -> None:
    table = table_of("name", "kind", "to", "from severity", "alerts", "quiet hours", "digest")
    for each in document.channels:
        digest = f"{each.digest.at:%H:%M} {each.digest.zone.key}" if each.digest else "none"
        table.add_row(
            each.name,
            each.kind.value,
            _masked(each),
            each.minimum.label,
            ", ".join(sorted(each.alerts)),
            _hours(each.quiet),
            digest,
        )
    out.print(table)


def _hours(quiet: QuietHours | None) -> str:
    if quiet is None:
        return "none"
    through = quiet.breaks_through.label if quiet.breaks_through is not None else "nothing"
    return f"{quiet.begin:%H:%M} to {quiet.end:%H:%M} {quiet.zone.key}, {through} breaks through"


def _masked(channel: Channel) -> str:
    """Enough of a secret to tell it from another."""
    if channel.kind is ChannelKind.SNS:
        return "the topics by severity"
    secret = channel.routing_key or channel.address
    return f"{urlsplit(channel.address).hostname} ...{secret[-4:]}"
