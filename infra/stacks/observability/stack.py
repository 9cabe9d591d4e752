"""Observability: an alarm for every promise that CloudWatch can see, a dashboard, a canary, traces, a budget."""

from aws_cdk import aws_xray as xray
from constructs import Construct

from infra.stacks.alarming import add_alarm
from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.edge.names import DELIVER, NOTIFY, SWEEP
from infra.stacks.observability.budget import add_budget
from infra.stacks.observability.canary import add_canary
from infra.stacks.observability.dashboard import add_dashboard
from infra.stacks.observability.database_promises import of_databases
from infra.stacks.observability.promises import Promise, of_canary, of_ingestion, of_orchestration, of_services


class ObservabilityStack(PlatformStack):
    """What looks at all other stacks, and holds nothing. The edge's own alarms are in the edge's stack."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Observability", config, holds_data=False)
        add_canary(self)
        promises = self._promises()
        alarms = [
            add_alarm(
                self,
                promise.name,
                promise.broken,
                promise.metric,
                promise.threshold,
                periods=promise.periods,
                below=promise.below,
                silence_is_bad=promise.silence_is_bad,
            )
            for kept in promises.values()
            for promise in kept
        ]
        add_dashboard(self, promises, alarms)
        self._traces()
        if config.monthly_budget_usd:
            add_budget(self)

    def _promises(self) -> dict[str, list[Promise]]:
        config = self.config
        promises = {
            "Canary": list(of_canary(config)),
            "Ingestion": list(of_ingestion(self)),
            "Orchestration": list(of_orchestration(self)),
        }
        if config.parts.services:
            promises["Orchestration"] += of_services(config)
        if config.parts.databases:
            promises["Databases"] = list(of_databases(config))
        return promises

    def _traces(self) -> None:
        """The traces of the edge's functions and the canary's that failed, as one group.

        How many calls are traced cannot be chosen: Lambda takes one a second and 5% of the others (AWS Lambda guide,
        "Visualize Lambda function invocations using AWS X-Ray").
        """
        functions = (
            *(self.config.edge_function(role) for role in ("", SWEEP, NOTIFY, DELIVER)),
            self.config.canary,
        )
        named = " OR ".join(f'service("{name}")' for name in functions)
        xray.CfnGroup(
            self,
            "FailedTraces",
            group_name=self.config.name,
            filter_expression=f"({named}) AND (fault OR error)",
            insights_configuration=xray.CfnGroup.InsightsConfigurationProperty(insights_enabled=True),
        )
