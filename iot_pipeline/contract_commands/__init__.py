"""The contract's command line: what drift asks of it as an edit, and what a change of it would break for whom."""
