"""Calls that stand in the source and that no demo or test makes, each with what it is on, or with why it never comes."""

from collections.abc import Mapping

# (site, operation): what it is on, as in recorded_calls.tsv.
UNRECORDED: Mapping[tuple[str, str], tuple[str, ...]] = {
    # A table's unprocessed keys, a failed page: what is met on AWS alone.
}
# (site, operation): why no role needs it.
NEVER: Mapping[tuple[str, str], str] = {}
