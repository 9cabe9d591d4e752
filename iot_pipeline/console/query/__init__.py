"""SQL on demand: the guard, the estimate, executions and their results."""
