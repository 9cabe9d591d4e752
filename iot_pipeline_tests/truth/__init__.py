"""The local Athena held against a real Trino: `make truth`."""
