"""The streaming job on one machine: Spark's own file source, over records that are taken from the local Kinesis.

PySpark's wheel has no source for Kinesis. What follows the source is what Glue runs: iot_pipeline/streaming.
"""
