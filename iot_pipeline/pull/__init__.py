"""Pulling readings from the REST APIs of vendors into the raw zone. A vendor is a file, docs/api-pull.md."""
