delete from "telemetry"."marts"."dim_date";

    insert into "telemetry"."marts"."dim_date" ("date_key", "date_day", "year", "quarter", "month", "day_of_month", "iso_week", "day_of_week", "is_weekend")
    select "date_key", "date_day", "year", "quarter", "month", "day_of_month", "iso_week", "day_of_week", "is_weekend" from "dim_date__dbt_tmp"
