"""The environment's budget: what it may cost a month, told before it does."""

from aws_cdk import aws_budgets as budgets

from infra.stacks.base import PlatformStack
from infra.stacks.parameters import read

# Of what was spent, and of what AWS expects the month to cost.
_TOLD_AT = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))


def add_budget(stack: PlatformStack) -> None:
    """A budget over what bears the environment's tag (Cost Management guide, "Creating a budget", "Budget filters").

    AWS tells the topic of alerts, which lets it in with its key ("Creating an Amazon SNS topic for budget
    notifications"). Costs reach a budget some hours late, so that it stops nothing and caps nothing.
    """
    config = stack.config
    told = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=read(stack, config, "alerts-topic"))
    budgets.CfnBudget(
        stack,
        "Budget",
        budget=budgets.CfnBudget.BudgetDataProperty(
            budget_name=config.name,
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=budgets.CfnBudget.SpendProperty(amount=config.monthly_budget_usd, unit="USD"),
            cost_filters={"TagKeyValue": [f"user:environment${config.name}"]},
        ),
        notifications_with_subscribers=[
            budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    comparison_operator="GREATER_THAN", notification_type=kind, threshold=percent
                ),
                subscribers=[told],
            )
            for kind, percent in _TOLD_AT
        ],
    )
