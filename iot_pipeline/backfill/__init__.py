"""Backfills: what of a range of hours is to be built again and why, what that costs, and doing it in an order that
can be interrupted.
"""
