"""The script of the Glue job `backfill`: all of it is in the package beside it (`--extra-py-files`)."""

from iot_pipeline.spark.job import main

main()
