"""Where everything lies in the lake's bucket: one prefix a zone, each with a closing slash."""

RAW = "raw/telemetry/"
JUDGED = "judged/telemetry/"
LEDGER = "ledger/telemetry/"
QUARANTINE = "quarantine/telemetry/"
CURATED = "curated/telemetry/"

# The curated readings of days that are over, compacted.
DAILY = "daily/telemetry/"

# What the streaming job has judged within minutes and no batch has replaced yet, its book of reconciled
# hours, and where Spark notes how far it is.
STREAMED = "streamed/telemetry/"
RECONCILED = "streamed/reconciled/"
STREAM_CHECKPOINT = "streamed/checkpoint/"

# The episodes of the alerts, exported from the edge.
ALERT_HISTORY = "alerts/history/"

# The registry's snapshots, which the warehouse loads, and what the warehouse unloads.
REGISTRY = "registry/"
UNLOAD = "unload/"

# The history of sites and devices for who reads the lake alone: an object each, replaced in place.
REGISTRY_SITES = "registry/sites/"
REGISTRY_DEVICES = "registry/devices/"

# The edge's rules: one JSON document a version, and the name of the current one.
EDGE_RULES = "edge/rules/"

QUERY_RESULTS = "athena-results/"
TEMPORARY = "tmp/"
FAILED_DELIVERY = "failed-delivery/"
DBT_DOCS = "docs/dbt/"

# The journals of bulk imports, with the rows that could not be mapped.
IMPORTS = "imports/"

# The book of what retention and erasures have removed or rewritten: an object an hour of a table.
REMOVALS = "removals/"

# Who is publishing: one lock for the arrival and event hours of the lake.
PUBLISHING = "publishing/"

# The ledger's name and place in releases before this one. Its partitions stay where they are; see lake/migrate.py.
FORMER_LEDGER = "ledger/raw_profile/"
