select device_id, metric, offset_value, gain, calibrated_at, calibrated_by
from {{ source('registry', 'calibrations') }}
