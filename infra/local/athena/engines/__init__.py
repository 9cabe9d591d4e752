"""What runs the statements behind Athena's API: DuckDB, or a real Trino."""
