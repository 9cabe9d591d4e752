select model_id, manufacturer, name as model_name, metrics, expected_interval_s
from {{ source('registry', 'device_models') }}
