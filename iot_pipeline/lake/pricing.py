"""What an Athena query costs."""

# Athena pricing page: 5 US dollars a terabyte scanned in most regions (eu-west-1 among them), rounded up to the next
# megabyte, at least 10 MB a query; DDL and failed queries are free.
DOLLARS_PER_TERABYTE = 5.0
MEGABYTE = 1024**2
MINIMUM_BYTES = 10 * MEGABYTE


def query_cost(scanned_bytes: int) -> float:
    """Price in US dollars of one query that scanned so many bytes; 0 for one that scanned none (DDL)."""
    if scanned_bytes == 0:
        return 0.0
    billed = max(MINIMUM_BYTES, -(-scanned_bytes // MEGABYTE) * MEGABYTE)
    return billed / 1024**4 * DOLLARS_PER_TERABYTE
