"""What pulls from vendors: for each a function, its schedule, its secret and its alarms; for all the cursors' table."""

from pathlib import Path

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.dead_letters import uncalled
from infra.stacks.item_table import item_table
from infra.stacks.parameters import publish
from infra.stacks.pull.pull_alarms import add_pull_alarms, add_queue_alarms
from infra.stacks.pull.pull_function import Places, add_pull_function
from infra.stacks.pulled_vendors import VENDORS, vendors
from infra.stacks.schedules import Scheduled, add_schedule
from iot_pipeline.pull.pull_state import EXPIRES
from iot_pipeline.pull.vendor import Vendor


class PullStack(PlatformStack):
    """Holds the cursors: without them everything would be read again from each vendor's beginning."""

    def __init__(self, scope: Construct, config: PlatformConfig, folder: Path = VENDORS) -> None:
        """`folder` has the vendors' files. Raises VendorFileError, and ValueError as `vendors`."""
        super().__init__(scope, "Pull", config, holds_data=True)
        found = vendors(config.vendors, folder)
        lake_key = self.lake_key()
        if lake_key is None:
            raise ValueError("vendors are pulled where the lake has a key of its own: size team or production")
        key = self.key("Key", "pull", f"Cursors and credentials of the vendors that {config.name} pulls from")
        table = item_table(self, "Cursors", config.pull_table, key, partition="id", expires=EXPIRES)
        dead_letters = uncalled(self, "pull", [config.pull_function(each.name) for each, _ in found])
        where = Places(table.table_arn, key, lake_key, dead_letters)
        for vendor, file in found:
            self._add(vendor, file, where, dead_letters)
        add_queue_alarms(self)
        publish(self, config, {"pull-key": key.key_arn})
        self.outputs(
            PullTable=table.table_name,
            PullFunctionPrefix=config.pull_function(""),
            PullDeadLettersUrl=dead_letters.queue_url,
        )

    def _add(self, vendor: Vendor, file: Path, where: Places, dead_letters: sqs.Queue) -> None:
        function = add_pull_function(self, vendor, file, where)
        name = self.config.pull_function(vendor.name)
        called = Scheduled(vendor.name, name, f"Pulls from {vendor.name}", function, retries=2)
        add_schedule(self, called, vendor.every_minutes, dead_letters.queue_arn)
        add_pull_alarms(self, vendor)
