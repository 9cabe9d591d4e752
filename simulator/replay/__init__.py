"""Replay of a CSV file as one device: how the file is written is found out and shown before anything is sent."""
