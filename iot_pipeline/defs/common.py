"""What the definitions of all zones share: who owns them, which pools they wait in, and how much is shown or taken."""

from typing import Final

OWNERS: Final = ["team:data-engineering"]

# One step of a pool runs at a time (`concurrency.pools` in dagster.yaml). Pools save work; correctness never rests on
# them, because two steps that ask at the same moment may both be let in.
# The quarantine waits in the pool of the judging: its check compares the ledger with what the quarantine took from it.
JUDGE_POOL: Final = "judge"
CURATE_POOL: Final = "curate"
COMPACT_POOL: Final = "compact"
# The registry's snapshot waits here too, since writers of the warehouse follow each other by a lock in any case.
LOAD_POOL: Final = "load"
DBT_POOL: Final = "dbt"

# More hours than these are summed up, not listed, in a run's metadata.
LISTED_HOURS: Final = 48

# Materializations that one tick of a sensor looks at; the rest waits for the next tick.
EVENTS_PER_TICK: Final = 1000

# A run with this tag has itself built all that follows from its materializations, or they are no news: automation
# conditions request nothing because of it. The value is always "true".
NOTHING_FOLLOWS_TAG: Final = "iot_pipeline/nothing_follows"
