"""Reading a corpus: NAB's layout and ours, and errors that name file and line."""

import json
from pathlib import Path

import pytest

from iot_pipeline.alerting.nab.corpus import CorpusError, Window, load, read_series

HEADER = "timestamp,value\n"
ROWS = "".join(f"2014-04-10 {hour:02}:04:00,{hour}.5\n" for hour in range(10))
SPAN = ["2014-04-10 03:04:00.000000", "2014-04-10 05:04:00.000000"]


def _folder(path: Path, windows: object, **files: str) -> tuple[Path, Path]:
    data = path / "data"
    data.mkdir()
    for name, text in files.items():
        file = data / f"{name.replace('__in__', '/')}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    labels = path / "windows.json"
    labels.write_text(windows if isinstance(windows, str) else json.dumps(windows))
    return data, labels


@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("a.csv", "a"),
        ("../a.csv", "a"),
        ("realKnownCause/a.csv", "realKnownCause__in__a"),
        ("realKnownCause/a.csv", "realKnownCause__a"),
        ("a.csv", "realKnownCause__in__a"),
    ],
)
def test_a_key_finds_its_file(tmp_path: Path, key: str, file: str) -> None:
    corpus = load(*_folder(tmp_path, {key: [SPAN]}, **{file: HEADER + ROWS}))
    (series,) = corpus.series
    assert series.windows == (Window(3, 5),)
    assert series.values[:2] == [0.5, 1.5]
    assert series.times[1] - series.times[0] == 3_600_000
    assert corpus.unlabelled == ()


def test_a_file_without_windows_is_named(tmp_path: Path) -> None:
    corpus = load(*_folder(tmp_path, {"a.csv": []}, a=HEADER + ROWS, b=HEADER + ROWS))
    assert [series.name for series in corpus.series] == ["a"]
    assert corpus.unlabelled == ("b.csv",)


def test_windows_are_sorted_and_begin_at_rows(tmp_path: Path) -> None:
    spans = [["2014-04-10 07:00:00", "2014-04-10 09:00:00"], ["2014-04-10 00:00:00", "2014-04-10 01:30:00"]]
    (series,) = load(*_folder(tmp_path, {"a.csv": spans}, a=HEADER + ROWS)).series
    assert series.windows == (Window(0, 1), Window(7, 8))


def test_repeated_and_disordered_times_keep_the_order_of_the_file(tmp_path: Path) -> None:
    rows = "2014-04-10 01:00:00,1\n2014-04-10 01:00:00,2\n2014-04-10 00:00:00,3\n2014-04-10 02:00:00,4\n"
    spans = [["2014-04-10 01:00:00", "2014-04-10 02:00:00"]]
    (series,) = load(*_folder(tmp_path, {"a.csv": spans}, a=HEADER + rows)).series
    assert series.values == [1.0, 2.0, 3.0, 4.0]
    assert series.windows == (Window(0, 3),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the columns should be timestamp,value"),
        ("time,value\n", "line 1: the columns should be timestamp,value, they are 'time,value'"),
        (HEADER, "no rows below its header"),
        (HEADER + "2014-04-10 00:00:00\n", "line 2: a timestamp and a value are needed"),
        (HEADER + ROWS + "yesterday,1\n", "line 12: 'yesterday' is no timestamp"),
        (HEADER + ROWS + "2014-04-10 00:00:00,many\n", "line 12: the value 'many' is no number"),
        (HEADER + ROWS + "2014-04-10 00:00:00,nan\n", "line 12: the value 'nan' is not finite"),
    ],
)
def test_a_malformed_series_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(CorpusError, match=r"a\.csv.*") as raised:
        read_series(tmp_path / "a.csv")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ({"b.csv": []}, "b.csv has windows, but there is no such CSV file below"),
        ({"a.csv": [["2015-01-01 00:00:00", "2015-01-02 00:00:00"]]}, "no row of the series is in the window"),
        ({"a.csv": [SPAN[::-1]]}, "a window ends before it begins"),
        ({"a.csv": [SPAN, SPAN]}, "two windows overlap"),
        ({"a.csv": [["2014-04-10 03:04:00"]]}, "a list of pairs"),
        ({"a.csv": "x"}, "a list of pairs"),
        ({"a.csv": [["noon", "night"]]}, "'noon' is no timestamp"),
        ([], "should hold an object"),
        ('{\n"a.csv": [}', "line 2: no JSON"),
    ],
)
def test_windows_that_make_no_sense_are_named(tmp_path: Path, windows: object, message: str) -> None:
    with pytest.raises(CorpusError) as raised:
        load(*_folder(tmp_path, windows, a=HEADER + ROWS))
    assert message in str(raised.value)


def test_a_key_with_two_files_is_ambiguous(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a\.csv could be .* or "):
        load(*_folder(tmp_path, {"a.csv": []}, x__in__a=HEADER + ROWS, y__in__a=HEADER + ROWS))


def test_what_is_no_folder_or_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is no folder"):
        load(tmp_path / "nowhere", tmp_path / "w.json")
    with pytest.raises(CorpusError, match="cannot be read"):
        load(tmp_path, tmp_path / "w.json")
