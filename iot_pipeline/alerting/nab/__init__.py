"""The Numenta Anomaly Benchmark (NAB): its series, its scoring, the detectors to compare with, and a report.

Nothing here runs in production; `iot_pipeline.alerting.detector` does.
"""
