"""What happens to telemetry as it arrives in the raw zone: Firehose's transformation, and crawls on arrival.

Two Lambda functions, without Dagster and without the edge.
"""
