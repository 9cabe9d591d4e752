"""The dashboard: how many readings came, and each metric by site and time."""

from aws_cdk import aws_quicksight as quicksight

from infra.stacks.base import PlatformStack
from iot_pipeline.contract import Contract

_Q = quicksight.CfnDashboard
_DATA = "readings"
_ACTIONS = (
    "DescribeDashboard",
    "ListDashboardVersions",
    "UpdateDashboardPermissions",
    "QueryDashboard",
    "UpdateDashboard",
    "DeleteDashboard",
    "DescribeDashboardPermissions",
    "UpdateDashboardPublishedVersion",
)


def add_dashboard(stack: PlatformStack, contract: Contract, readings: quicksight.CfnDataSet) -> None:
    """One sheet, whose rows are those that the reader may see: the data set decides, not the dashboard."""
    config = stack.config
    lines = [_line(metric.name, "AVERAGE") for metric in contract.metrics]
    quicksight.CfnDashboard(
        stack,
        "Dashboard",
        aws_account_id=config.account,
        dashboard_id=config.name,
        name=f"Telemetry of {config.name}",
        definition=_Q.DashboardVersionDefinitionProperty(
            data_set_identifier_declarations=[
                _Q.DataSetIdentifierDeclarationProperty(identifier=_DATA, data_set_arn=readings.attr_arn)
            ],
            sheets=[
                _Q.SheetDefinitionProperty(sheet_id="hours", name="Hours", visuals=[_line("readings", "SUM"), *lines])
            ],
        ),
        permissions=[
            _Q.ResourcePermissionProperty(
                principal=config.quicksight_owner, actions=[f"quicksight:{action}" for action in _ACTIONS]
            )
        ],
    )


def _line(column: str, aggregation: str) -> quicksight.CfnDashboard.VisualProperty:
    """A column over the hours, a line a site."""
    wells = _Q.LineChartAggregatedFieldWellsProperty(
        category=[
            _Q.DimensionFieldProperty(
                date_dimension_field=_Q.DateDimensionFieldProperty(
                    field_id=f"{column}-hour", column=_column("hour"), date_granularity="HOUR"
                )
            )
        ],
        values=[
            _Q.MeasureFieldProperty(
                numerical_measure_field=_Q.NumericalMeasureFieldProperty(
                    field_id=f"{column}-value",
                    column=_column(column),
                    aggregation_function=_Q.NumericalAggregationFunctionProperty(
                        simple_numerical_aggregation=aggregation
                    ),
                )
            )
        ],
        colors=[
            _Q.DimensionFieldProperty(
                categorical_dimension_field=_Q.CategoricalDimensionFieldProperty(
                    field_id=f"{column}-site", column=_column("site")
                )
            )
        ],
    )
    return _Q.VisualProperty(
        line_chart_visual=_Q.LineChartVisualProperty(
            visual_id=column.replace("_", "-"),
            title=_Q.VisualTitleLabelOptionsProperty(
                visibility="VISIBLE", format_text=_Q.ShortFormatTextProperty(plain_text=column)
            ),
            chart_configuration=_Q.LineChartConfigurationProperty(
                field_wells=_Q.LineChartFieldWellsProperty(line_chart_aggregated_field_wells=wells)
            ),
        )
    )


def _column(name: str) -> quicksight.CfnDashboard.ColumnIdentifierProperty:
    return _Q.ColumnIdentifierProperty(data_set_identifier=_DATA, column_name=name)
