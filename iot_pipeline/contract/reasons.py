"""Why a record is quarantined. Every record has at most one reason: the first of these that applies."""

from enum import StrEnum


class Reason(StrEnum):
    """A quarantine reason, in the order in which they are tested."""

    UNREADABLE_OBJECT = "unreadable_object"
    MALFORMED_JSON = "malformed_json"
    NOT_FROM_INGEST = "not_from_ingest"
    NO_READINGS = "no_readings"
    UNSUPPORTED_VERSION = "unsupported_version"
    DEVICE_MISMATCH = "device_mismatch"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_TS = "missing_ts"
    INVALID_TS = "invalid_ts"
    MISSING_SEQ = "missing_seq"
    INVALID_SEQ = "invalid_seq"
    TOO_LATE = "too_late"
    IN_FUTURE = "in_future"
    NO_METRICS = "no_metrics"
    INVALID_VALUE = "invalid_value"
    UNKNOWN_UNIT = "unknown_unit"
    OUT_OF_RANGE = "out_of_range"

    @property
    def meaning(self) -> str:
        """What a person reads beside the reason."""
        return _MEANING[self]


_MEANING = {
    Reason.UNREADABLE_OBJECT: "A raw object cannot be read, such as a truncated gzip: one record for all of it.",
    Reason.MALFORMED_JSON: "The payload is not JSON, or is nested deeper than 100 levels.",
    Reason.NOT_FROM_INGEST: "The line does not say, as the IoT rules do, who sent it and when it arrived.",
    Reason.NO_READINGS: "The payload is JSON but not an object with a non-empty array `readings`.",
    Reason.UNSUPPORTED_VERSION: "`v` is not the contract's version.",
    Reason.DEVICE_MISMATCH: "`device_id` is not the device of the topic, which the certificate proves.",
    Reason.NOT_AN_OBJECT: "An element of `readings` is not an object.",
    Reason.MISSING_TS: "`ts` is absent or null.",
    Reason.INVALID_TS: "`ts` is neither an ISO-8601 time with a zone nor epoch milliseconds.",
    Reason.MISSING_SEQ: "`seq` is absent or null.",
    Reason.INVALID_SEQ: "`seq` is not a whole number.",
    Reason.TOO_LATE: "The event is older than the lateness bound when it is received.",
    Reason.IN_FUTURE: "The event is further in the future than clocks may differ.",
    Reason.NO_METRICS: "The reading carries no metric of the contract.",
    Reason.INVALID_VALUE: (
        "A metric is not a number, `fw` not a text, `location` not {lat, lon} on Earth, or a text no store takes."
    ),
    Reason.UNKNOWN_UNIT: "`unit` is no object, or it names a unit or a field that is not known.",
    Reason.OUT_OF_RANGE: "A metric is outside its plausible range.",
}
