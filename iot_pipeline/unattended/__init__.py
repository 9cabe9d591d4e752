"""What runs by itself: when, what it costs and who is woken, as docs/operations.md has it. `make docs` writes it."""
