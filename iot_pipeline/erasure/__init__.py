"""Erasing one device or one tenant from every place that holds something of it, and the search that proves it."""
