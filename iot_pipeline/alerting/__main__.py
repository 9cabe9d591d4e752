"""`python -m iot_pipeline.alerting`: how good the detector is, and what it costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from iot_pipeline.alerting.detector import ALERT_SCORE
from iot_pipeline.alerting.nab import baselines, comparison, corpus, false_alarms, report, speed, text_table

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="""The statistical detector, measured with the Numenta Anomaly Benchmark (NAB). See docs/detector.md.""",
)

FolderArgument = Annotated[
    Path,
    typer.Argument(help="Folder with the series, CSV files of `timestamp,value`; folders in it are looked through."),
]
WindowsOption = Annotated[
    Path, typer.Option("--windows", help="JSON file with the labelled windows of each series, as NAB has them.")
]


@app.command()
def score(folder: FolderArgument, windows: WindowsOption) -> None:
    """Score the detector, and those it is compared with, by NAB's standard profile.

    The last line is the detector's score at the threshold that is best for all series together, as NAB's published
    scores are. The line above it is its score at the threshold that production uses, which no data has chosen.
    """
    with _explained():
        found = _load(folder, windows)
        results = [comparison.run(name, detect, found.series) for name, detect in comparison.detectors().items()]
        own = results[0]
        rows = sum(len(series.times) for series in found.series)
        typer.echo(text_table.table(found.series, results))
        if not baselines.has_library():
            typer.echo("trees: left out, `river` is not installed (docs/detector.md says how)")
        typer.echo(f"The detector took {own.seconds:.1f} s for {rows:,} readings: {rows / own.seconds:,.0f} readings/s")
        typer.echo(f"NAB standard with the threshold of each series chosen by the others: {own.left_out():.1f}")
        typer.echo(f"NAB standard at the threshold {ALERT_SCORE}: {own.normalised(ALERT_SCORE):.1f}")
        typer.echo(f"NAB standard: {own.normalised(own.best.threshold):.1f}")


@app.command("report")
def write_report(
    folder: FolderArgument,
    windows: WindowsOption,
    out: Annotated[Path, typer.Option("--out", help="Folder to write index.html to; it is made if need be.")],
) -> None:
    """Draw each series with its windows, the detector's scores and its alerts: one page that needs no network."""
    with _explained():
        found = _load(folder, windows)
        result = comparison.run(comparison.OURS, comparison.ours, found.series)
        out.mkdir(parents=True, exist_ok=True)
        page = out / "index.html"
        page.write_text(report.page(found.series, result), encoding="utf-8")
        typer.echo(f"{page}: {len(found.series)} series, {page.stat().st_size:,} bytes")


@app.command("speed")
def show_speed() -> None:
    """Measure what a reading costs, and how many bytes a series' state takes."""
    typer.echo(speed.measure())


@app.command("false-alarms")
def show_false_alarms() -> None:
    """Count how often the detector alerts on made series in which nothing happens, by threshold."""
    typer.echo(false_alarms.measure())


def _load(folder: Path, windows: Path) -> corpus.Corpus:
    found = corpus.load(folder, windows)
    for name in found.unlabelled:
        typer.echo(f"{name}: left out, no windows are given for it", err=True)
    return found


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors a person can act on into one line and exit code 2."""
    try:
        yield
    except (corpus.CorpusError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.alerting")
