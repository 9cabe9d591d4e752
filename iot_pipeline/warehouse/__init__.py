"""The warehouse (Redshift): landing tables, the load of curated hours, the registry's snapshot."""
