select event_hour, location, readings, duplicates, conflicts, loaded_at
from {{ source('lake', 'loads') }}
