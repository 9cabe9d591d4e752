"""What of the stacks runs by itself, and the page of docs/operations.md that has it beside what Dagster runs."""
