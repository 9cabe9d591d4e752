"""What the two stacks of the edge call the same things."""

# Each severity has a topic of its own, so that its subscribers are too.
SEVERITIES = ("warning", "critical")

# The functions beside the handler; each is called every minute by a rule of its own name.
SWEEP, NOTIFY = "sweep", "notify"
INVOKED = (SWEEP, NOTIFY)
# Called by `notify` for one channel at a time.
DELIVER = "deliver"
