"""What people see beside a materialization."""

from iot_pipeline.defs.metadata import bar_chart, markdown_list, markdown_table


def test_what_a_device_chose_is_shown_and_not_obeyed() -> None:
    hostile = "a|b\n| x |`<img src=x onerror=alert(1)>`[here](https://evil.example)"
    table = str(markdown_table(("site", "readings"), [(hostile, 3), ("plain_site-1", 4)]).value)
    assert table.splitlines() == [
        "| site | readings |",
        "| --- | --- |",
        r"| a\|b \| x \|\`&lt;img src=x onerror=alert(1)&gt;\`\[here\](https://evil.example) | 3 |",
        "| plain_site-1 | 4 |",
    ]


def test_a_list_is_no_markup_either() -> None:
    assert str(markdown_list([]).value) == "none"
    assert str(markdown_list(["x\n# y", "[a](b)<i>"]).value) == "- x # y\n- \\[a\\](b)&lt;i&gt;"


def test_no_label_of_a_chart_ends_its_text() -> None:
    chart = str(bar_chart(["```", "a\n```\n# out", "````"], [1, 2, 3]).value).splitlines()
    assert chart[0] == chart[-1] == "`" * 5
    assert len(chart) == 5
    assert str(bar_chart([], []).value) == "```\n```"
