"""The history of the alerts: episodes, which the edge keeps for 90 days, exported into the lake, which keeps them all."""
