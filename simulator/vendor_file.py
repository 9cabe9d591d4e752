"""What the vendor of `vendor_api` is to who pulls from it: its file (docs/api-pull.md), to be filled in."""

# Made of names, so that many vendors do not share a device; `start` is a time as TOML writes it.
WEATHER = """
name = "{name}"
base_url = "{url}/v1"
tenant = "acme"
every_minutes = 15
requests_per_minute = 6000
[auth]
kind = "oauth2"
token_url = "{url}/token"
scope = "observations:read"
[devices]
"ST-1" = {{ device = "{name}-north", site = "north" }}
"ST-2" = {{ device = "{name}-south", site = "south" }}
[resources.observations]
path = "/observations"
[resources.observations.window]
from_parameter = "from"
to_parameter = "to"
format = "iso8601"
minutes = 60
settle_minutes = 5
start = {start}
[resources.observations.paging]
kind = "cursor"
parameter = "cursor"
next = "/meta/next_cursor"
size_parameter = "limit"
size = 4
total = "/meta/total"
[resources.observations.mapping]
items = "/data"
device = "/station/id"
ts = "/observed_at"
ts_format = "iso8601"
[resources.observations.mapping.metrics]
temperature = {{ at = "/values/temp_f", unit = "F" }}
humidity = {{ at = "/values/rh", unit = "%" }}
"""
