select cast(opened_date as date) as opened_date, content, location, episodes, loaded_at
from {{ source('alerts', 'alert_loads') }}
