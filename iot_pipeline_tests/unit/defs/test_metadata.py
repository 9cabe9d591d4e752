"""What people see beside a materialization."""

from iot_pipeline.defs.metadata import markdown_table


def test_what_a_device_chose_is_shown_and_not_obeyed() -> None:
    hostile = "a|b\n| x |`<img src=x onerror=alert(1)>`[here](https://evil.example)"
    table = str(markdown_table(("site", "readings"), [(hostile, 3), ("plain_site-1", 4)]).value)
    assert table.splitlines() == [
        "| site | readings |",
        "| --- | --- |",
        r"| a\|b \| x \|\`&lt;img src=x onerror=alert(1)&gt;\`\[here\](https://evil.example) | 3 |",
        "| plain_site-1 | 4 |",
    ]
