"""Pulling from vendors' APIs: a function a vendor, called by the clock. docs/api-pull.md."""
