"""The commands that read a CSV file: showing how it is read, and sending it."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from iot_pipeline.contract import CONTRACT, TOPIC_ROOT
from simulator.cli_support import endpoint, err, explained, out, publish
from simulator.durations import seconds
from simulator.fleet import Device, load_fleet
from simulator.options import (
    CaOption,
    DrainOption,
    EndpointOption,
    FleetFolder,
    InflightOption,
    OutOption,
    PackOption,
    TopicRootOption,
)
from simulator.publisher import now_ms
from simulator.replay.check import Check, check, readings
from simulator.replay.columns import parse_mapping
from simulator.replay.decimals import COMMA, POINT
from simulator.replay.form import CsvForm, Given, detect
from simulator.replay.preview import preview as preview_of
from simulator.replay.readings import numbered_by_time, rebased, shift_ms
from simulator.replay.source import ReplaySource
from simulator.replay.times import EpochUnit, Order, zone_of
from simulator.run import Run, Source

FileArgument = Annotated[Path, typer.Argument(help="CSV file.", exists=True, dir_okay=False)]
MapOption = Annotated[
    list[str] | None, typer.Option("--map", help="METRIC=COLUMN, repeatable; a column by its name or as #1.")
]
UnitOption = Annotated[list[str] | None, typer.Option("--unit", help="METRIC=UNIT of its column, if not the first.")]
TimeColumnOption = Annotated[
    list[str] | None,
    typer.Option(help="Column of the event time; twice for date and time of day.  [default: the only one with times]"),
]
TimeZoneOption = Annotated[
    str | None, typer.Option(help="Zone of times without one: UTC, Europe/Berlin, +01:00. Needed where there are any.")
]
DateOrderOption = Annotated[
    Order | None, typer.Option(help="Of dates such as 10/03/2004.  [default: what a day above 12 proves]")
]
EpochUnitOption = Annotated[
    EpochUnit | None, typer.Option(help="Of epoch numbers.  [default: the one that gives years 2000 to 2099]")
]
DecimalMarkOption = Annotated[
    str | None, typer.Option(help="point or comma.  [default: what a number proves that cannot group thousands]")
]
MissingOption = Annotated[
    list[str] | None, typer.Option(help="Text or number that stands for no value, repeatable, such as -200 or nan.")
]
DelimiterOption = Annotated[
    str | None, typer.Option(help="Between fields: one character, or tab.  [default: detected]")
]
QuoteOption = Annotated[str | None, typer.Option(help="Around fields: one character, or none.  [default: detected]")]
HeaderOption = Annotated[
    bool | None, typer.Option("--header/--no-header", help="Whether the first line names the columns.")
]
EncodingOption = Annotated[
    str | None, typer.Option(help="utf-8, cp1252, utf-16-le, ...  [default: as the byte order mark says, or utf-8]")
]
SkipOption = Annotated[bool, typer.Option(help="Count rows that cannot be read by reason, and go on without them.")]


def preview(
    file: FileArgument,
    maps: MapOption = None,
    units: UnitOption = None,
    time_column: TimeColumnOption = None,
    time_zone: TimeZoneOption = None,
    date_order: DateOrderOption = None,
    epoch_unit: EpochUnitOption = None,
    decimal_mark: DecimalMarkOption = None,
    missing: MissingOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    skip_bad_rows: SkipOption = False,
) -> None:
    """Show how `replay` reads a CSV file, and send nothing: its form, its first rows with their meaning, its books.

    `python -m simulator preview machine_temperature.csv --map temperature=value --unit temperature=F --time-zone UTC`

    Nothing is guessed: where a date, a number, an epoch time or a column may be read in two ways, the file is refused,
    with the line, the column and the option that decides. A file with rows that cannot be read is refused as well,
    unless `--skip-bad-rows` is given.
    """
    with explained():
        syntax = _syntax(delimiter, quote, decimal_mark)
        zone = None if time_zone is None else zone_of(time_zone)
        columns = _time_columns(time_column or [])
        given = Given(encoding, *syntax, header, columns, date_order, epoch_unit, zone, tuple(missing or ()))
        _checked(file, maps, units, given, skip_bad_rows)


def replay(
    file: FileArgument,
    fleet: FleetFolder,
    broker: EndpointOption,
    ca: CaOption,
    maps: MapOption = None,
    units: UnitOption = None,
    time_column: TimeColumnOption = None,
    time_zone: TimeZoneOption = None,
    date_order: DateOrderOption = None,
    epoch_unit: EpochUnitOption = None,
    decimal_mark: DecimalMarkOption = None,
    missing: MissingOption = None,
    delimiter: DelimiterOption = None,
    quote: QuoteOption = None,
    header: HeaderOption = None,
    encoding: EncodingOption = None,
    skip_bad_rows: SkipOption = False,
    device: Annotated[str | None, typer.Option(help="Device to replay as.  [default: the fleet's first]")] = None,
    rebase: Annotated[bool, typer.Option(help="Move the file in time: its latest reading becomes now.")] = False,
    whole_hours: Annotated[bool, typer.Option(help="Move by whole hours, keeping minutes (with --rebase).")] = False,
    seq_from_time: Annotated[bool, typer.Option(help="seq is the event time in ms, not the row number.")] = False,
    lateness_bound: Annotated[
        str | None, typer.Option(help="The platform's bound, if it was raised, for the manifest.  [default: 30d]")
    ] = None,
    out_folder: OutOption = None,
    pack: PackOption = 100,
    inflight: InflightOption = 1000,
    topic_root: TopicRootOption = TOPIC_ROOT,
    drain_timeout: DrainOption = "30s",
) -> None:
    """Send a CSV file as one device's readings, as fast as the broker acknowledges.

    `python -m simulator replay machine_temperature.csv FLEET --map temperature=value --unit temperature=F
    --time-zone UTC --rebase`

    The whole file is checked and shown first, as by `preview`. A row's seq is its number in the file, from 1: rows with
    the same time are different readings, and replaying a file again sends the same keys again. With `--seq-from-time`
    rows of the same time have the same key, so that the platform sees duplicates or conflicts. Empty fields are metrics
    not sent. What the contract rejects (too late, out of range) is sent all the same, and the manifest says so.
    """
    with explained():
        syntax = _syntax(delimiter, quote, decimal_mark)
        zone = None if time_zone is None else zone_of(time_zone)
        columns = _time_columns(time_column or [])
        given = Given(encoding, *syntax, header, columns, date_order, epoch_unit, zone, tuple(missing or ()))
        chosen = _device(fleet, device)
        bound = CONTRACT.lateness_bound if lateness_bound is None else timedelta(seconds=seconds(lateness_bound))
        address, timeout_s = endpoint(broker, ca, topic_root), seconds(drain_timeout)
        form, checked = _checked(file, maps, units, given, skip_bad_rows)
        target = Run(out_folder or fleet / "out", fleet, (chosen,), address, inflight, timeout_s)
        sources: list[ReplaySource] = []

        def make_source() -> Source:
            sent_ms = now_ms()
            found = readings(form, checked)
            if rebase:
                # A second ago: a reading exactly as old as the lateness bound would be late or not by milliseconds.
                shift = shift_ms(checked.latest_ms, sent_ms - 1000, whole_hours)
                err.print(f"every time is moved by {timedelta(milliseconds=shift)}", soft_wrap=True)
                found = rebased(found, shift)
            keyed = numbered_by_time(found) if seq_from_time else found
            sources.append(
                ReplaySource(
                    target.outbox, chosen, form.mapped, keyed, checked.readings, pack, bound, sent_ms, inflight
                )
            )
            return sources[0]

        try:
            publish(target, make_source)
        finally:
            if sources and sources[0].borderline:
                err.print(f"[yellow]{sources[0].borderline} readings are within a minute of the lateness bound[/]")


def _checked(
    file: Path, maps: list[str] | None, units: list[str] | None, given: Given, skip_bad_rows: bool
) -> tuple[CsvForm, Check]:
    """Read a file through and print what it holds. Raises ValueError for a bad row that is not to be skipped."""
    form = detect(file, parse_mapping(maps or [], units or []), given)
    found = check(form)
    for line in preview_of(form, found):
        out.print(line, soft_wrap=True, markup=False)
    if skip_bad_rows:
        for text in found.errors.values():
            err.print(f"[yellow]left out: {escape(text)}[/]", soft_wrap=True)
    else:
        found.refuse_bad_rows(file)
    return form, found


def _device(fleet: Path, name: str | None) -> Device:
    devices = load_fleet(fleet).devices
    if name is None:
        return devices[0]
    found = next((item for item in devices if item.device_id == name), None)
    if found is None:
        raise ValueError(f"--device {name}: not in {fleet}; its first is {devices[0].device_id}")
    return found


def _time_columns(names: list[str]) -> tuple[str, ...]:
    if len(names) > 2 or len(set(names)) < len(names):
        raise ValueError(f"--time-column {', '.join(names)}: expected one column, or two: the date's and the time's")
    return tuple(names)


def _syntax(delimiter: str | None, quote: str | None, mark: str | None) -> tuple[str | None, str | None, str | None]:
    """The three options as characters. Raises ValueError for those that cannot be, or not together."""
    if delimiter in ("tab", r"\t"):
        delimiter = "\t"
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0 '):
        raise ValueError(f"--delimiter {delimiter!r}: expected one character, such as ';', or tab")
    if quote is not None and quote != "none" and (len(quote) != 1 or quote in "\r\n\0 " or quote == delimiter):
        raise ValueError(f"--quote {quote!r}: expected one character that is not the delimiter, or none")
    marks = {None: None, "point": POINT, "comma": COMMA, POINT: POINT, COMMA: COMMA}
    if mark not in marks:
        raise ValueError(f"--decimal-mark {mark!r}: expected point or comma")
    return delimiter, quote, marks[mark]
