"""What a line of the file is that `send` takes, field by field, for its help (docs/contract.md)."""

from iot_pipeline.contract.contract import CONTRACT, MAX_FIRMWARE, MAX_MESSAGE_BYTES, Contract
from iot_pipeline.contract.metrics import Metric

EXAMPLE = (
    '{"v": 1, "device_id": "pump-17", "readings": [{"ts": "2026-11-30T00:00:00Z", "seq": 1, "flow_rate": 3.2, '
    '"temperature": 70.5, "unit": {"temperature": "F"}}]}'
)


def message_form(contract: Contract = CONTRACT) -> str:
    """The text, with the metrics, units and bounds of a contract."""
    late, future = contract.lateness_bound.days, contract.future_bound.total_seconds() / 3600
    width = max(len(metric.name) for metric in contract.metrics)
    metrics = "\n".join(_line_of(metric, width) for metric in contract.metrics)
    return f"""\
A line of FILE.jsonl is one message of one device, a JSON object of at most {MAX_MESSAGE_BYTES // 1024} KiB, in UTF-8:

  {EXAMPLE}

  v           the contract's version: {contract.version}
  device_id   the device's id in the registry; its tenant and site are the registry's, and have to be the producer's,
              or else the intake refuses the message, into its bucket (docs/producers.md)
  readings    one reading or more; pack the readings of a device, they are cheaper together
  sent_at     optional: when the message was sent, as `ts`
  fw          optional: the firmware's version, at most {MAX_FIRMWARE} characters

  of each reading:
  ts          its time: ISO 8601 with a zone, or epoch milliseconds as a whole number; at most {future:g} h ahead, and
              at most {late} days old: what is older is quarantined as too_late, and a matter for
              `python -m iot_pipeline.bulk_import`
  seq         a whole number that the device counts; a reading is identified by device_id, ts and seq, so that what
              is sent twice counts once
  unit        optional: per metric its unit, where that is not the first of those below
  location    optional: {{"lat": degrees, "lon": degrees}}
  and one metric at least, a number, whose plausible range is in its first unit:
{metrics}

Other fields are kept, and told as unknown. A line that is no JSON object with a device_id is refused here, by its
number; all else that the contract refuses is sent, and the pipeline quarantines it by its reason (docs/contract.md).
"""


def _line_of(metric: Metric, width: int) -> str:
    units = " or ".join(unit.symbol for unit in metric.units)
    return f"    {metric.name:{width}}  {units}, {metric.minimum:g} to {metric.maximum:g} {metric.unit}"
