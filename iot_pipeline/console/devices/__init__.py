"""Devices: the fleet as the registry has it, a device's page, its values joined without a seam to the live ones."""
