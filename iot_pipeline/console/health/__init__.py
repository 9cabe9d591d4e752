"""Whether the pipeline is well: one tile a question, each answered on its own."""
