"""The schema of the registry, as Alembic migrations. The DDL is written here and nowhere else."""
