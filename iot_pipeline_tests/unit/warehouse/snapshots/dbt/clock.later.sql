delete from "telemetry"."marts"."clock";

    insert into "telemetry"."marts"."clock" ("as_of", "first_hour")
    select "as_of", "first_hour" from "clock__dbt_tmp"
