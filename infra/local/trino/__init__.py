"""A real Trino in front of the local AWS's own Glue catalog and S3: an extra, which needs Java and Maven."""
