"""Where people are told: channels by configuration, each with its own severity, quiet hours, digest and retries.

The outbox is emptied into letters, one a channel and notification (`routing.py`), and each channel's letters are sent
by themselves (`delivery.py`). So a channel that hangs or fails neither delays another nor has it told twice.
"""
