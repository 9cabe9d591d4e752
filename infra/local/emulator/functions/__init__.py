"""How the local AWS runs Lambda functions: their processes, logs, metrics and asynchronous calls."""
