"""The data source, and the data sets with who sees which of their rows."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_quicksight as quicksight

from infra.stacks.analytics.questions import Question, hourly_readings, who_sees_whom
from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept
from iot_pipeline.contract import Contract

_READ = ("DescribeDataSet", "DescribeDataSetPermissions", "PassDataSet", "DescribeIngestion", "ListIngestions")
_WRITE = ("UpdateDataSet", "DeleteDataSet", "CreateIngestion", "CancelIngestion", "UpdateDataSetPermissions")
_SOURCE = (
    "DescribeDataSource",
    "DescribeDataSourcePermissions",
    "PassDataSource",
    "UpdateDataSource",
    "DeleteDataSource",
    "UpdateDataSourcePermissions",
)
# After retention and clean-up, before people come.
_REFRESHED_AT = "04:30"


def add_data_sets(stack: PlatformStack, contract: Contract, reader: iam.Role) -> quicksight.CfnDataSet:
    """The hours of readings, of which a tenant's group sees the tenant's; both data sets are read anew once a day.

    By Athena and not from the warehouse: that would want a connection into the VPC, and each refresh would wake it.
    """
    config = stack.config
    owner = config.quicksight_owner
    source = quicksight.CfnDataSource(
        stack,
        "Lake",
        aws_account_id=config.account,
        data_source_id=f"{config.name}-lake",
        name=f"Lake of {config.name}",
        type="ATHENA",
        data_source_parameters=quicksight.CfnDataSource.DataSourceParametersProperty(
            athena_parameters=quicksight.CfnDataSource.AthenaParametersProperty(
                work_group=config.name, role_arn=reader.role_arn
            )
        ),
        permissions=[
            quicksight.CfnDataSource.ResourcePermissionProperty(
                principal=owner, actions=[f"quicksight:{action}" for action in _SOURCE]
            )
        ],
    )
    # QuickSight tries a source when it is made.
    source.node.add_dependency(reader.node.find_child("DefaultPolicy"))
    rules = _data_set(stack, "Tenants", source, who_sees_whom(config))
    rules.use_as = "RLS_RULES"
    readings = _data_set(stack, "Readings", source, hourly_readings(config, contract))
    readings.row_level_permission_data_set = quicksight.CfnDataSet.RowLevelPermissionDataSetProperty(
        arn=rules.attr_arn, format_version="VERSION_2", permission_policy="GRANT_ACCESS", status="ENABLED"
    )
    accept(
        readings,
        "CloudFormation-Validate::W9009",
        "Its successor belongs to a data set of the new preparation, which has no custom SQL; the rules hold in both",
    )
    return readings


def _data_set(
    stack: PlatformStack, construct_id: str, source: quicksight.CfnDataSource, question: Question
) -> quicksight.CfnDataSet:
    config, name = stack.config, construct_id.lower()
    data_set = quicksight.CfnDataSet(
        stack,
        construct_id,
        aws_account_id=config.account,
        data_set_id=f"{config.name}-{name}",
        name=f"{construct_id} of {config.name}",
        import_mode="SPICE",
        physical_table_map={
            name: quicksight.CfnDataSet.PhysicalTableProperty(
                custom_sql=quicksight.CfnDataSet.CustomSqlProperty(
                    data_source_arn=source.attr_arn,
                    name=name,
                    sql_query=question.sql,
                    columns=[
                        quicksight.CfnDataSet.InputColumnProperty(name=column, type=kind)
                        for column, kind in question.columns.items()
                    ],
                )
            )
        },
        permissions=[
            quicksight.CfnDataSet.ResourcePermissionProperty(
                principal=config.quicksight_owner, actions=[f"quicksight:{action}" for action in (*_READ, *_WRITE)]
            )
        ],
    )
    refresh = quicksight.CfnRefreshSchedule(
        stack,
        f"{construct_id}Refresh",
        aws_account_id=config.account,
        data_set_id=f"{config.name}-{name}",
        schedule=quicksight.CfnRefreshSchedule.RefreshScheduleMapProperty(
            schedule_id="daily",
            refresh_type="FULL_REFRESH",
            schedule_frequency=quicksight.CfnRefreshSchedule.ScheduleFrequencyProperty(
                interval="DAILY", time_of_the_day=_REFRESHED_AT, time_zone="UTC"
            ),
        ),
    )
    refresh.node.add_dependency(data_set)
    return data_set
