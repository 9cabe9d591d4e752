"""The demo of the size `prototype`: the rules write straight to S3, and Dagster builds the lake from there at home."""

import dagster as dg
from rich.console import Console

from infra.cost import Fleet, bill
from infra.cost.printed import free_table, services_table
from infra.local.demo import lake_steps
from infra.local.demo.lake_steps import Scale
from infra.local.demo.report import print_report
from infra.local.demo.steps import Steps
from infra.local.session.platform import Platform
from infra.stacks.environments import from_process

# A reading a minute and device, as the bill has it.
INTERVAL_SECONDS = 60
# Every message becomes an object.
SCALE = Scale(devices=10, tenants=2, sites=2, backlog_readings=14_400, live_rate=100, live_seconds=15)


def run_prototype(platform: Platform, scale: Scale, console: Console) -> bool:
    """Onboard, publish, build and report. True if the ledger balances and equals what the devices truly sent."""
    steps = Steps(console)
    lake_steps.onboard(steps, platform, scale)
    lake_steps.publish_backlog(steps, platform, scale)
    live_since = lake_steps.publish_live(steps, platform, scale)
    looking = "looking for every message in S3, where the rules put each as an object"
    landed = lake_steps.wait_until_landed(steps, platform, looking)
    with dg.DagsterInstance.get() as instance:
        arrivals, event_hours = lake_steps.build_lake(steps, instance)
    with steps.step("checking the books and measuring"):
        report = lake_steps.lake_report(steps, landed, live_since, arrivals, event_hours)
    print_report(report, console)
    _print_bill(scale, console)
    return report.is_right


def _print_bill(scale: Scale, console: Console) -> None:
    """What so many devices cost a month on AWS, at a reading a minute, and of it what AWS gives away."""
    bill_of_month = bill(from_process(), Fleet(scale.devices, INTERVAL_SECONDS, scale.backlog_pack))
    console.print()
    console.print(services_table(bill_of_month))
    console.print(free_table(bill_of_month))
    command = f"make cost SIZE=prototype DEVICES={scale.devices}"
    console.print(f"The model, its prices and alternatives: `{command}`.", soft_wrap=True)
