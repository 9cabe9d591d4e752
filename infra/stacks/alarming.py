"""Alarms to the pipeline's topic of alerts, and the metrics that they look at."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.stacks.base import PlatformStack
from infra.stacks.parameters import read

MINUTE = cdk.Duration.minutes(1)


def add_alarm(
    stack: PlatformStack,
    construct_id: str,
    why: str,
    metric: cloudwatch.IMetric,
    threshold: float,
    *,
    periods: int = 1,
    below: bool = False,
    silence_is_bad: bool = False,
    name: str | None = None,
) -> cloudwatch.Alarm:
    """An alarm that tells the topic of alerts of itself and of its end; `why` is what a person reads then.

    It sounds when the metric is at or above the threshold (with `below`, under it) for so many periods. Where nothing
    happens most services measure nothing, so that silence is well unless `silence_is_bad`. AWS names the alarm, unless
    somebody has to know its `name`.
    """
    alarm = cloudwatch.Alarm(
        stack,
        construct_id,
        alarm_name=name,
        alarm_description=why,
        metric=metric,
        threshold=threshold,
        evaluation_periods=periods,
        comparison_operator=_BELOW if below else _AT_LEAST,
        treat_missing_data=_BREACHING if silence_is_bad else _WELL,
    )
    # The resource itself: the construct would want the topic as a construct, for which it is only a parameter.
    resource = alarm.node.default_child
    if not isinstance(resource, cloudwatch.CfnAlarm):
        raise TypeError(f"the alarm's resource is {type(resource).__name__}, expected CfnAlarm")
    topic = read(stack, stack.config, "alerts-topic")
    resource.alarm_actions = [topic]
    resource.ok_actions = [topic]
    return alarm


def metric(
    namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, period: cdk.Duration = MINUTE
) -> cloudwatch.Metric:
    """A metric by its name; a service's guide says which dimensions it has."""
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dict(dimensions), statistic=statistic, period=period
    )


_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_WELL = cloudwatch.TreatMissingData.NOT_BREACHING
_BREACHING = cloudwatch.TreatMissingData.BREACHING
