"""The Trino types of a statement's expressions, so that each operator and function can be rendered with its meaning."""
