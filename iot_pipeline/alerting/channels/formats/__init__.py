"""What each kind of channel is sent: pure functions from a message to JSON, within the limits that the kind has."""
