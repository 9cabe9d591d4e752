"""The dashboard: which promises hold, and what each is measured by."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.stacks.base import PlatformStack
from infra.stacks.observability.promises import Promise

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 3


def add_dashboard(
    stack: PlatformStack, promises: Mapping[str, Sequence[Promise]], alarms: Sequence[cloudwatch.IAlarm]
) -> None:
    """One page: all alarms, then a row of graphs for each part, each with the line that it must not cross."""
    dashboard = cloudwatch.Dashboard(
        stack, "Dashboard", dashboard_name=stack.config.name, period_override=cloudwatch.PeriodOverride.INHERIT
    )
    dashboard.add_widgets(
        cloudwatch.AlarmStatusWidget(title="Promises", alarms=list(alarms), width=_WIDTH * _COLUMNS, height=_HEIGHT)
    )
    for part, kept in promises.items():
        dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"## {part}", width=_WIDTH * _COLUMNS, height=1))
        for begin in range(0, len(kept), _COLUMNS):
            dashboard.add_widgets(*(_graph(promise) for promise in kept[begin : begin + _COLUMNS]))


def _graph(promise: Promise) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=promise.name,
        left=[promise.metric],
        left_annotations=[cloudwatch.HorizontalAnnotation(value=promise.threshold, label="broken")],
        left_y_axis=cloudwatch.YAxisProps(min=0),
        width=_WIDTH,
        height=_HEIGHT,
    )
