"""The schema of the registry, as Alembic migrations. The DDL is written here and nowhere else.

A change of the schema is a new file in `versions`, with the revision before it as its `down_revision`.
"""
