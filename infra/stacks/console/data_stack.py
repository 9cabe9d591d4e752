"""The console's data: its table, and the people who may sign in."""

from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.console.users import add_client, add_sign_in_pages, add_user_pool
from infra.stacks.item_table import item_table
from infra.stacks.parameters import publish
from infra.stacks.services.tasks import logs_use

# As iot_pipeline.console.store has them: sessions, API keys, saved queries, layouts and the audit in one table.
KEY, SORT, EXPIRES = "key", "sort", "expires"


class ConsoleDataStack(PlatformStack):
    """Everything of the console that holds data, and that its service comes and goes without."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "ConsoleData", config, holds_data=True)
        key = self.key("Key", "console", f"Sessions, keys and audit of {config.name}'s console")
        table = item_table(self, "Table", config.console_table, key, partition=KEY, sort=SORT, expires=EXPIRES)
        pool = add_user_pool(self)
        client = add_client(self, pool)
        add_sign_in_pages(self, pool)
        if config.domain:
            logs_use(self, key, "console")
            published = {"console-pool": pool.user_pool_id, "console-client": client.user_pool_client_id}
            publish(self, config, published)
        publish(self, config, {"console-key": key.key_arn})
        self.outputs(
            ConsoleTable=table.table_name,
            ConsoleUserPool=pool.user_pool_id,
            ConsoleIssuer=f"https://cognito-idp.{self.region}.amazonaws.com/{pool.user_pool_id}",
            ConsoleClientId=client.user_pool_client_id,
        )
