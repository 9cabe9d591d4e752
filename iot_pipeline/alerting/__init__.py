"""Alerts as episodes: opened, escalated, acknowledged, resolved, grouped, silenced and notified.

A library of its own, without Dagster: the edge raises alerts of devices through it, and whatever else watches something
raises its own the same way.
"""
