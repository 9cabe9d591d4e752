"""Servers that several modules share: each starts once a session, when a test first asks for it."""

from iot_pipeline_tests.support.warehouse import local_warehouse

__all__ = ["local_warehouse"]
