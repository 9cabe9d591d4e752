"""All that others rely on of a contract, as plain JSON: what a release promised, to be held against what is now.

`python -m iot_pipeline.contract_commands.description` prints it; it imports nothing but the contract, so that it also
describes the contract of another commit.
"""

import json
from typing import Any

from iot_pipeline.contract import CONTRACT, MAX_MESSAGE_BYTES, Contract, Reason, tables, topic_filter
from iot_pipeline.contract.contract import MAX_EXTRA, MAX_FIRMWARE, MESSAGE_FIELDS, READING_FIELDS
from iot_pipeline.contract.envelope import ENVELOPE

Description = dict[str, Any]


def described(contract: Contract = CONTRACT) -> Description:
    """The description of a contract."""
    return {
        "version": contract.version,
        "bounds": {
            "lateness_seconds": contract.lateness_bound.total_seconds(),
            "future_seconds": contract.future_bound.total_seconds(),
            "message_bytes": MAX_MESSAGE_BYTES,
            "firmware_characters": MAX_FIRMWARE,
            "unknown_field_characters": MAX_EXTRA,
        },
        "metrics": {
            metric.name: {
                "units": {unit.symbol: [unit.factor, unit.offset] for unit in metric.units},
                "unit": metric.unit,
                "minimum": metric.minimum,
                "maximum": metric.maximum,
                "max_rate": metric.max_rate,
            }
            for metric in contract.metrics
        },
        "reasons": [reason.value for reason in Reason],
        "topics": topic_filter(),
        "message_fields": list(MESSAGE_FIELDS),
        "reading_fields": list(READING_FIELDS),
        "envelope": {field.name: field.type for field in ENVELOPE},
        "tables": {
            table.name: {
                "prefix": table.prefix,
                "partition_keys": list(table.partition_keys),
                "columns": {column.name: column.type for column in table.columns},
            }
            for table in tables(contract).all
        },
    }


def text_of(description: Description) -> str:
    """A description as it is kept in a file."""
    return json.dumps(description, indent=2) + "\n"


if __name__ == "__main__":
    print(text_of(described()), end="")
