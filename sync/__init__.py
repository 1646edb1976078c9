"""Carrying sealed batches between a device and the central server."""
