"""How a file is written: found out in every combination, shown, and refused with line, column and remedy if unclear."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from simulator.cli import app
from simulator.fleet import make_fleet
from simulator.replay.check import check, readings
from simulator.replay.columns import parse_mapping
from simulator.replay.flaws import BadRow, CsvError
from simulator.replay.form import Given, body, detect
from simulator.replay.readings import CsvReading, NoReading, rows
from simulator.replay.times import zone_of

RUNNER = CliRunner(env={"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"})
ZONE = ("--time-zone", "UTC")
EPOCH_S = ("--epoch-unit", "s", "--time-column", "timestamp")
HEADER = "timestamp,temp\n"


def preview(folder: Path, content: str | bytes, *options: str, maps: tuple[str, ...] = ("temperature=temp",)) -> str:
    """What the command prints; a first line `exit N` before it."""
    path = folder / "data.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    mapping = [part for text in maps for part in ("--map", text)]
    result = RUNNER.invoke(app, ["preview", str(path), *mapping, *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return f"exit {result.exit_code}\n{result.output}"


def shows(output: str, name: str) -> str:
    """The value and the reason that a preview shows of a property."""
    return next(line.removeprefix(name).strip() for line in output.splitlines() if line.startswith(name))


DELIMITERS = {",": "','", ";": "';'", "\t": r"'\t'", "|": "'|'"}


@pytest.mark.parametrize(
    ("delimiter", "mark", "ends", "encoding"),
    [*itertools.product(DELIMITERS, ".,", ["\n", "\r\n", "\r"], ["utf-8", "utf-8-sig", "utf-16", "utf-32"])],
)
def test_every_dialect_is_found_shown_and_read_alike(
    tmp_path: Path, delimiter: str, mark: str, ends: str, encoding: str
) -> None:
    cells = [["time", "Außen", "note", "", ""], ["2026-11-21 12:00:00", f"21{mark}25", "a", "", ""]]
    cells += [["2026-11-21 12:00:01", f"-0{mark}5", "b", "", ""], ["", "", "", "", ""]]
    quoted = [[f'"{cell}"' if delimiter == mark == "," and cell else cell for cell in row] for row in cells]
    text = ends.join(delimiter.join(row) for row in quoted) + ends
    output = preview(tmp_path, text.encode(encoding), *ZONE, maps=("temperature=Außen",))
    assert output.startswith("exit 0")
    assert shows(output, "delimiter").startswith(DELIMITERS[delimiter])
    assert shows(output, "encoding").startswith(encoding)
    assert shows(output, "decimal mark").startswith("point" if mark == "." else "comma")
    assert "2026-11-21T12:00:00.000Z" in output
    assert "21.25 C" in output
    assert "-0.5 C" in output
    assert "2 readings" in output
    assert "blank rows, nothing to send: 1 (line 4)" in output


UCI = (
    "Date;Time;CO(GT);T;RH;;\n10/03/2004;18.00.00;2,6;13,6;48,9;;\n10/03/2004;19.00.00;2;-200;47,7;;\n"
    "{day}/03/2004;20.00.00;2;11,9;54;;\n;;;;;;\n"
)


def test_an_italian_export_is_understood(tmp_path: Path) -> None:
    """The form of UCI's Air Quality data: its delimiters, dates, times and missing values."""
    maps = ("temperature=T", "humidity=RH")
    output = preview(tmp_path, UCI.format(day=13), "--time-zone", "Europe/Rome", "--missing", "-200", maps=maps)
    assert output.startswith("exit 0")
    assert shows(output, "time ").startswith("column 'Date' (#1) and 'Time' (#2)")
    assert "(line 4: '13/03/2004 20.00.00')" in shows(output, "date order")
    assert "2004-03-10T17:00:00.000Z" in output
    assert "13.6 C" in output
    assert "not sent" in output
    assert "3 readings" in output
    alone = preview(tmp_path, UCI.format(day=13), *ZONE, "--missing", "-200", maps=("temperature=T",))
    assert "missing values alone, nothing to send: 1 (line 3)" in alone
    told = preview(tmp_path, UCI.format(day=13), *ZONE, maps=("temperature=T",))
    assert "temperature outside the contract's range, sent and expected in quarantine: 1 (line 3)" in told
    unclear = preview(tmp_path, UCI.format(day=12), *ZONE, maps=("temperature=T",))
    assert unclear.startswith("exit 2")
    assert "line 2, column 'Date' (#1) and 'Time' (#2): '10/03/2004 18.00.00' may be day first" in unclear
    given_order = preview(tmp_path, UCI.format(day=12), *ZONE, "--date-order", "mdy", maps=("temperature=T",))
    assert "2004-10-03T18:00:00.000Z" in given_order


def test_a_german_header_less_and_a_russian_export_are_understood(tmp_path: Path) -> None:
    german = "21.11.2026 12:00;21,5\n22.11.2026 12:00;22,5\n"
    output = preview(tmp_path, german, "--time-zone", "Europe/Berlin", maps=("temperature=#2",))
    assert (output[:6], "2026-11-21T11:00:00.000Z" in output) == ("exit 0", True)
    assert shows(output, "header").startswith("no")
    skab = "datetime;Accelerometer1RMS;Temperature;Volume Flow RateRMS\n2020-03-09 10:14:33;0.027;79.3366;32.0\n"
    output = preview(tmp_path, skab, *ZONE, maps=("temperature=Temperature", "flow_rate=Volume Flow RateRMS"))
    assert (output[:6], "79.3366 C" in output, "32.0 L/min" in output) == ("exit 0", True, True)


ROW = "2026-11-21 12:00:00,"


@pytest.mark.parametrize(
    ("content", "options", "parts"),
    [
        (HEADER + ROW + "1\n" + ROW + "x\n", ZONE, ["line 3", "column 'temp' (#2)", "'x'", "--missing"]),
        ("timestamp,temp,temp\n" + ROW + "1,2\n", ZONE, ["line 1", "'temp' is there 2 times, as #2 and #3"]),
        ("timestamp,timestamp,temp\n" + ROW + ROW + "1\n", ZONE, ["line 1", "'timestamp'", "--time-column"]),
        ("a,b,temp\n" + ROW + ROW + "1\n", ZONE, ["line 1", "'a' (date and time), 'b'", "--time-column"]),
        ("a,b,temp\n" + ROW + "1795000000,1\n", ZONE, ["line 1", "'b' (epoch number)", "--time-column"]),
        ("a,b,temp\nx,y,1\n", ZONE, ["line 1", "no column reads as a time", "--time-column"]),
        (HEADER + ROW + "1\n", (), ["line 2", "column 'timestamp'", "--time-zone"]),
        (HEADER + '2026-11-21 12:00:00,"1,234"\n', ZONE, ["line 2", "column 'temp'", "--decimal-mark"]),
        ("ts;temp\n2026-11-21 12:00:00;1,234\n", ZONE, ["line 2", "'1,234'", "--decimal-mark"]),
        ("ts;temp\n2026-11-21 12:00:00;1.234\n", ZONE, ["line 2", "'1.234'", "--decimal-mark"]),
        ("ts;temp\n2026-11-21 12:00:00;1,5\n2026-11-21 12:00:01;1.5\n", ZONE, ["line 3", "decimal comma"]),
        (HEADER + "1795000000,1\n1795000000000,1\n", (), ["line 3", "unclear unit", "--epoch-unit"]),
        (HEADER + "5,1\n", (), ["line 2", "column 'timestamp'", "--epoch-unit"]),
        (HEADER + ROW + '"1\n' + ROW + "1\n", ZONE, ["line 2, column 2", "never closed"]),
        (HEADER + ROW + "1\n" + ROW + '"1"x\n', ZONE, ["line 3, column 2", "out of order"]),
        ("timestamp,temp,n\n" + ROW + '1,"a\n' + ROW + '2,b"\n', ZONE, ["line 2, column 3", "reads as a row"]),
        (HEADER + ROW + "1" * 140_000, ZONE, ["line 2, column 2", "131,072"]),
        (HEADER + ROW + "1," * 600_000, ZONE, ["line 2", "1,000,000 characters"]),
        (HEADER + ROW + "1,2\n", ZONE, ["line 2", "3 fields, expected 2"]),
        (HEADER + "2026-11-21 12:00:00\n", ZONE, ["line 2", "1 fields, expected 2"]),
        (HEADER + ROW + "\n", ZONE, ["line 2", "column 'temp'", "no value", "--missing ''"]),
        (b"timestamp,temp,Gr\xf6\xdfe\n", ZONE, ["line 1, column 3", "0xF6", "--encoding cp1252"]),
        ((HEADER + ROW).encode() + b"\xb15\n", ZONE, ["line 2", "column 'temp'", "0xB1", "--encoding"]),
        ((HEADER + ROW + "1\0\n").encode(), ZONE, ["line 2", "column 'temp'", "NUL"]),
        ((HEADER + ROW + "1\n").encode("utf-16-le"), ZONE, ["line 1, column 1", "--encoding utf-16-le"]),
        ((HEADER + ROW + "1\n").encode("utf-16")[:-1], ZONE, ["about line 2", "truncated"]),
        ("5,1\n6,2\n", ("--map", "humidity=#2", "--epoch-unit", "s"), ["line 1", "--header or --no-header"]),
        ("# logger 5\n" + HEADER + ROW + "1\n", ZONE, ["line 1", "no column 'temp'", "remove what stands above"]),
        ("timestamp,temp,n\n" + '5,1,"a\n6,2,b"\n', EPOCH_S, ["line 2, column 3", "reads as a row"]),
        ("", ZONE, ["is empty", "expected a header"]),
        ('""', ZONE, ["is empty", "expected a header"]),
        ("\n \n\n", ZONE, ["is empty"]),
        (b"\xef\xbb\xbf", ZONE, ["is empty"]),
        (HEADER, ZONE, ["no row below it"]),
        (ROW + "1\n", ZONE, ["line 1", "no row below it", "--no-header"]),
        (2 * (ROW + "1\n"), ZONE, ["line 1", "no column 'temp'", "--no-header"]),
        (HEADER + ROW + "1\n", (*ZONE, "--delimiter", ";;"), ["--delimiter ';;'", "one character"]),
        (HEADER + ROW + "1\n", (*ZONE, "--quote", ""), ["--quote ''"]),
        (HEADER + ROW + "1\n", (*ZONE, "--decimal-mark", "dot"), ["--decimal-mark 'dot'", "point or comma"]),
        (HEADER + ROW + "1\n", (*ZONE, "--encoding", "hex"), ["--encoding 'hex' is unknown"]),
        (HEADER + ROW + "1\n", (*ZONE, "--encoding", "utf-16"), ["no byte order mark", "utf-16-le"]),
        ("\ufeff" + HEADER + ROW + "1\n", (*ZONE, "--encoding", "cp1252"), ["byte order mark of utf-8"]),
        (HEADER + ROW + "1\n", (*ZONE, "--time-column", "when"), ["--time-column", "no column 'when'", "'timestamp'"]),
        (HEADER + ROW + "1\n", (*ZONE, "--time-column", "temp"), ["'temp' is both a metric and the time"]),
        (HEADER + ROW + "1\n", (*ZONE, "--time-column", "#3"), ["there is no column #3"]),
    ],
)
def test_what_cannot_be_read_or_in_two_ways_names_place_and_remedy(
    tmp_path: Path, content: str | bytes, options: tuple[str, ...], parts: list[str]
) -> None:
    maps = ("temperature=#1",) if "humidity=#2" in options else ("temperature=temp",)
    output = preview(tmp_path, content, *options, maps=maps)
    assert output.startswith("exit 2")
    error = output[output.index("error: ") :]
    assert [part for part in parts if part not in error] == [], error
    assert len(error) < 1200


def test_the_remedies_work(tmp_path: Path) -> None:
    for content, options, expected in (
        ("timestamp,temp,temp\n" + ROW + "1,2\n", (*ZONE, "--map", "humidity=#3"), "2.0 %"),
        ("ts;temp\n2026-11-21 12:00:00;1,234\n", (*ZONE, "--decimal-mark", "comma"), "1.234 C"),
        (HEADER + "-5,1\n", ("--epoch-unit", "s"), "1969-12-31T23:59:55.000Z"),
        (HEADER + "2026-10-25 02:30:00,1\n", ("--time-zone", "+01:00"), "2026-10-25T01:30:00.000Z"),
        (
            (HEADER.replace("temp", "temp,n") + ROW + "1,\xdf\n").encode("cp1252"),
            (*ZONE, "--encoding", "cp1252"),
            "1 C",
        ),
        ((HEADER + ROW + "1\n").encode("utf-16-be"), (*ZONE, "--encoding", "utf-16-be"), "1.0 C"),
        (HEADER + ROW + "1\n" + ROW + "nan\n", (*ZONE, "--missing", "nan"), "nothing to send: 1 (line 3)"),
        (HEADER + ROW + "1\n" + ROW + "\n", (*ZONE, "--missing", ""), "nothing to send: 1 (line 3)"),
        ('n,timestamp,temp\n5" pipe,' + ROW + '1\n"x,' + ROW + "1\n", (*ZONE, "--quote", "none"), "2 readings"),
        (HEADER + ROW + "1\n 2026-11-21 12:00:01 ,\t2 \n", ZONE, "2 readings"),
        ("'timestamp','temp'\n'2026-11-21 12:00:00','1'\n", ZONE, "1.0 C"),
        ("a,b,temp\n" + ROW + ROW + "1\n", (*ZONE, "--time-column", "b"), "column 'b' (#2)"),
    ):
        maps = ("temperature=#2",) if "humidity=#3" in options else ("temperature=temp",)
        output = preview(tmp_path, content, *options, maps=maps)
        assert output.startswith("exit 0"), output
        assert expected.replace("1 C", "1.0 C") in output.replace("1.00 C", "1.0 C"), output


def test_bad_rows_are_counted_by_reason_and_left_out_on_demand_alone(tmp_path: Path) -> None:
    content = HEADER + ROW + "1\n" + ("soon,1\n" * 7) + ROW + "x\n" + ROW + "1,1\n" + ROW + "2\n"
    refused = preview(tmp_path, content, *ZONE)
    assert refused.startswith("exit 2")
    for output in (refused, preview(tmp_path, content, *ZONE, "--skip-bad-rows")):
        assert "9 rows cannot be read" in output
        assert "no readable time: 7 (lines 3, 4, 5, 6, 7, ...)" in output
        assert "no readable number: 1 (line 10)" in output
        assert "another number of fields: 1 (line 11)" in output
    assert output.startswith("exit 0")
    assert "2 readings" in output


def test_a_blank_in_quotes_over_lines_is_a_cell(tmp_path: Path) -> None:
    content = "timestamp,temp,note\n" + ROW + '1,"first\nsecond, with a comma"\n' + ROW + "2,x\n"
    form = detect(written(tmp_path, content.encode()), parse_mapping(["temperature=temp"], []), Given(zone=UTC))
    assert [(row.line, row.seq) for row in rows(form) if isinstance(row, CsvReading)] == [(2, 1), (4, 2)]


def test_of_very_many_columns_the_first_are_named(tmp_path: Path) -> None:
    """A file whose ends of lines are lost names all of its cells."""
    names = ",".join(f"c{number}" for number in range(100_000))
    output = preview(tmp_path, f"{names}\n{ROW}1\n")
    assert "no column 'temp'; its columns are 'c0', 'c1'" in " ".join(output.split())
    assert "and 99,950 more" in " ".join(output.split())
    assert len(output) < 2_000


def written(folder: Path, content: bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(content)
    return path


BYTES = [b"timestamp,temp\n", b"2026-11-21 12:00:00", b",", b";", b"\n", b"\r", b'"', b"'", b"1.5", b"1,5", b"\0"]
BYTES += [b"\xff\xfe", b"\xef\xbb\xbf", b"\xdf", b"1795000000", b"temp", b" ", b"\t", b"-200", b"nan", b"x" * 200_000]
pieces = st.sampled_from([*BYTES, b"10/03/2004 18.00.00"])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(pieces | st.binary(max_size=3), max_size=25).map(b"".join), st.booleans())
def test_any_bytes_are_read_or_refused_and_every_row_is_accounted_for(
    tmp_path: Path, content: bytes, begins_well: bool
) -> None:
    path = written(tmp_path, HEADER.encode() + ROW.encode() + b"20.5\n" + content if begins_well else content)
    try:
        form = detect(path, parse_mapping(["temperature=temp"], []), Given(zone=UTC))
        found = check(form)
    except CsvError:
        return
    counted = found.readings + found.bad_rows + found.blank.count + found.without_value.count
    assert counted == sum(1 for _ in body(form))
    kinds = [type(row) for row in rows(form)]
    assert [kinds.count(kind) for kind in (CsvReading, BadRow, NoReading)] == [
        found.readings,
        found.bad_rows,
        found.blank.count + found.without_value.count,
    ]


def test_a_file_that_changes_meanwhile_stops_the_replay(tmp_path: Path) -> None:
    path = written(tmp_path, (HEADER + ROW + "1\n" + ROW + "2\n").encode())
    form = detect(path, parse_mapping(["temperature=temp"], []), Given(zone=UTC))
    found = check(form)
    assert len(list(readings(form, found))) == 2
    with path.open("a") as file:
        file.write(ROW + "3\n")
    with pytest.raises(CsvError, match="was changed while it was replayed"):
        list(readings(form, found))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["preview", "/dev/null", "--map", "temperature=temp"])
    assert result.exit_code == 2
    assert "no regular file" in result.output


def test_bad_mappings_are_named() -> None:
    for maps, units, message in (
        ([], [], "--map is missing"),
        (["warmth=value"], [], "metric of temperature"),
        (["temperature=value", "temperature=other"], [], "--map temperature is given twice: 'value' and 'other'"),
        (["temperature=value"], ["temperature=K"], "accepted in C, F"),
        (["temperature=value"], ["temperature=C", "temperature=F"], "--unit temperature is given twice"),
        (["humidity=value"], ["temperature=F"], "has no --map"),
    ):
        with pytest.raises(ValueError, match=message):
            parse_mapping(maps, units)


def test_naive_times_are_taken_in_the_stated_zone(tmp_path: Path) -> None:
    path = written(tmp_path, (HEADER + "2026-07-01 12:00:00,1\n").encode())
    mapped = parse_mapping(["temperature=temp"], [])
    found = check(detect(path, mapped, Given(zone=zone_of("America/New_York"))))
    assert found.latest_ms == datetime(2026, 7, 1, 16, tzinfo=UTC).timestamp() * 1000


def test_a_refused_file_costs_nothing_else(tmp_path: Path) -> None:
    make_fleet(1).save(tmp_path)
    (tmp_path / "ca.pem").write_text("")
    path = written(tmp_path, (HEADER + ROW + "1_5\n" + ROW + "2\n").encode())
    options = ["--endpoint", "localhost:1", "--ca", str(tmp_path / "ca.pem"), "--map", "temperature=temp", *ZONE]
    result = RUNNER.invoke(app, ["replay", str(path), str(tmp_path), *options])
    assert result.exit_code == 2
    assert "line 2, column 'temp' (#2): '1_5'" in result.output
    assert "2026-11-21T12:00:00.000Z" in result.output, "the preview comes first"
    assert not (tmp_path / "out").exists()
