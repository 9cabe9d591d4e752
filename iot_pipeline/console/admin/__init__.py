"""What admins change: devices and the rules of alerts. Each change needs a reason, and is recorded."""
