"""Bulk import: years of history from CSV or Parquet, mapped to the contract, as lines of the raw zone.

A file is read in batches, each row is mapped or rejected with its reason, the mapped rows are sorted by event hour on
disk, and each event hour is written as objects of the raw zone, under names that a second run writes again.
"""
