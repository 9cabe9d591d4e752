"""What happens now: readings as they arrive, the fleet, alerts that open and resolve."""
