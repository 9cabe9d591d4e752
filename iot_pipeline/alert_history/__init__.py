"""The history of the alerts: the edge keeps episodes for 90 days, the lake keeps what was exported of them."""
