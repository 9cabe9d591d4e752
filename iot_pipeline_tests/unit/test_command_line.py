"""What a device or a person chose is printed as it is: no markup, and no command to the terminal."""

import pytest

from iot_pipeline import command_line
from iot_pipeline.command_line import table_of

# Moves the cursor, renames the window, rings the bell, and would end a style that was never begun.
HOSTILE = "fw\x1b[2J\x1b]0;owned\x07 \x9b31m [red]x[/red] [/]"


def test_a_cell_is_no_markup_and_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    table = table_of("firmware", "count")
    table.add_row(HOSTILE, "1")
    command_line.out.print(table)
    text = capsys.readouterr().out
    assert "\\x1b[2J\\x1b]0;owned\\x07 \\x9b31m [red]x[/red] [/]" in text
    assert not set(text) & {"\x1b", "\x07", "\x9b"}


def test_a_body_is_printed_with_its_lines_and_without_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    command_line.out.print(f"first\n\t{HOSTILE}", markup=False, soft_wrap=True)
    text = capsys.readouterr().out
    assert text.startswith("first\n")
    assert "[red]x[/red] [/]" in text
    assert not set(text) & {"\x1b", "\x07", "\x9b"}
